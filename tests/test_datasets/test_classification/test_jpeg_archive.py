"""Archives of encoded images: what is in them comes out, and damaged ones are refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.small_data import write_archive

from amlfs_mm.datasets import JPEGArchive, LoadWholeImage

LOAD = [dict(type='amlfs_mm.LoadWholeImage')]


def test_images_labels_and_classes(tmp_path: Path):
    images = write_archive(tmp_path, 'train', [0, 0, 1, 2, 2], classes=3)
    data = JPEGArchive(str(tmp_path), 'train', pipeline=LOAD)
    assert len(data) == 5
    assert data.metainfo['classes'] == ('class 0', 'class 1', 'class 2')
    for number, image in enumerate(images):
        item = data[number]
        np.testing.assert_array_equal(item['img'], image)
        assert item['gt_label'] == [0, 0, 1, 2, 2][number]


def test_real_jpeg(tmp_path: Path):
    """Smooth images survive JPEG within a few grey values, in their places."""
    images = [np.full((32, 32, 3), (value, 128, 255 - value), np.uint8) for value in (10, 200)]
    encoded = [cv2.imencode('.jpg', image)[1].ravel() for image in images]
    np.savez(
        tmp_path / 'test.npz',
        jpeg=np.concatenate(encoded),
        end=np.cumsum([len(e) for e in encoded]),
        label=[1, 0],
        classes=['a', 'b'],
    )
    data = JPEGArchive(str(tmp_path), 'test', pipeline=LOAD)
    for item, image in zip(data, images, strict=True):
        assert abs(item['img'].astype(int) - image).max() < 5


def test_a_seed_draws_one_order_for_all_parts(tmp_path: Path):
    images = write_archive(tmp_path, 'train', sorted(list(range(10)) * 6))
    options = dict(data_root=str(tmp_path), split='train', order_seed=0, pipeline=LOAD)
    train = JPEGArchive(**options, indices=40)
    val = JPEGArchive(**options, indices=list(range(40, 60)))
    paths = [data.get_data_info(i)['img_path'] for data in (train, val) for i in range(len(data))]
    assert len(set(paths)) == 60
    assert len({item['gt_label'] for item in train}) == 10  # not the first classes
    for item in train:
        number = int(item['img_path'].split('#')[1])
        assert item['gt_label'] == number // 6
        np.testing.assert_array_equal(item['img'], images[number])
    again = JPEGArchive(**options, indices=40)
    assert [item['img_path'] for item in again] == paths[:40]
    other = JPEGArchive(**{**options, 'order_seed': 1}, indices=40)
    assert [item['img_path'] for item in other] != paths[:40]


def test_a_damaged_image_is_named(tmp_path: Path):
    write_archive(tmp_path, 'train', [0, 1])
    with np.load(tmp_path / 'train.npz') as archive:
        arrays = dict(archive)
    arrays['jpeg'][arrays['end'][0] : arrays['end'][0] + 20] = 0
    np.savez(tmp_path / 'train.npz', **arrays)
    data = JPEGArchive(str(tmp_path), 'train')
    LoadWholeImage()(data[0])
    with pytest.raises(OSError, match=r'train\.npz#1 cannot be read'):
        LoadWholeImage()(data[1])


@pytest.mark.parametrize(
    ('array', 'value', 'message'),
    [
        ('label', None, r"train\.npz lacks the arrays \['label'\]"),
        ('label', np.array([0, 9]), r"'label' must be in \[0, 3\).* from 0 to 9"),
        ('label', np.array([0, -1]), r"'label' must be in \[0, 3\).* from -1 to 0"),
        ('label', np.array([0.0, 1.0]), "'label' must be one row of integers, got float64"),
        ('label', np.array([0]), 'must have one number an image, got 2 and 1'),
        ('end', np.array([5, 9]), "'end' must rise to the length of 'jpeg', "),
        ('jpeg', np.zeros(10), "'jpeg' must be one row of uint8, got float64"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path: Path, array: str, value, message: str):
    write_archive(tmp_path, 'train', [0, 1], classes=3)
    with np.load(tmp_path / 'train.npz') as archive:
        arrays = {**archive, array: value}
    np.savez(tmp_path / 'train.npz', **{k: v for k, v in arrays.items() if v is not None})
    with pytest.raises(ValueError, match=message):
        JPEGArchive(str(tmp_path), 'train')


def test_an_end_that_falls(tmp_path: Path):
    write_archive(tmp_path, 'train', [0, 1, 2], classes=3)
    with np.load(tmp_path / 'train.npz') as archive:
        arrays = dict(archive)
    arrays['end'][:2] = arrays['end'][1::-1]
    np.savez(tmp_path / 'train.npz', **arrays)
    with pytest.raises(ValueError, match='and image 1 has -'):
        JPEGArchive(str(tmp_path), 'train')


def test_no_archive_and_one_that_is_cut_short(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r'there is no archive .*train\.npz.*DATA_ROOT'):
        JPEGArchive(str(tmp_path), 'train')
    write_archive(tmp_path, 'train', [0, 1])
    path = tmp_path / 'train.npz'
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r'train\.npz cannot be read .* copy it anew'):
        JPEGArchive(str(tmp_path), 'train')
