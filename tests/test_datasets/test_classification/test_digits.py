import numpy as np
import pytest
from sklearn.datasets import load_digits

from amlfs_mm.datasets import Digits


def test_parts_are_disjoint_and_complete():
    parts = {split: Digits(split) for split in ('train', 'val', 'test')}
    assert {split: len(data) for split, data in parts.items()} == dict(train=897, val=300, test=600)
    images = [d[i]['img'][..., 0].tobytes() for d in parts.values() for i in range(len(d))]
    source = load_digits()
    expected = [(image * 255 / 16).astype(np.uint8).tobytes() for image in source.images]
    assert sorted(images) == sorted(expected)
    for data in parts.values():
        counts = np.bincount([data[i]['gt_label'] for i in range(len(data))], minlength=10)
        assert counts.min() >= 0.8 * counts.mean()


def test_labels_belong_to_their_images():
    source = load_digits()
    label = {
        (image * 255 / 16).astype(np.uint8).tobytes(): digit
        for image, digit in zip(source.images, source.target, strict=True)
    }
    data = Digits('test')
    for i in range(len(data)):
        assert data[i]['gt_label'] == label[data[i]['img'][..., 0].tobytes()]


def test_unknown_split():
    with pytest.raises(ValueError, match=r"'train', 'val', 'test'.*'trian'"):
        Digits('trian')
