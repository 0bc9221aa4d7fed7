"""A data set by a list of indices and labels."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.small_data import PACK, Labelled
from mmengine.dataset import ConcatDataset

from amlfs_mm.datasets import CleanedDataset, InMemoryImages
from amlfs_mm.datasets.samplers.identity_batch_sampler import group_by_label
from amlfs_mm.datasets.source_positions import source_positions

NOISE = [dict(type='amlfs_mm.LabelNoise', ratio=0.5, num_classes=10), *PACK]


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / 'labels.csv'
    path.write_text(text)
    return str(path)


def test_keeps_what_is_listed_with_the_labels_of_the_list(tmp_path: Path):
    source = Labelled(30, indices=[20, 21, 22, 23], pipeline=NOISE)
    data = CleanedDataset(source, write(tmp_path, 'index,label\n23,7\n21,4\n'))
    assert len(data) == 2
    assert source_positions(data) == [21, 23]
    assert [sample['data_samples'].gt_label.item() for sample in data] == [4, 7]
    assert [data.get_data_info(i)['gt_label'] for i in range(2)] == [4, 7]
    assert group_by_label(data) == {4: [0], 7: [1]}
    # The same images, and the noise of each by its place in the source's part.
    assert [s['inputs'].tolist() for s in data] == [source[i]['inputs'].tolist() for i in (1, 3)]


def test_around_others_and_in_memory(tmp_path: Path):
    source = ConcatDataset([Labelled(5), Labelled([0, 1, 2, 3, 4], indices=[1, 3])])
    data = CleanedDataset(source, write(tmp_path, 'index,label\n2,9\n6,8\n8,7\n'))
    assert source_positions(data) == [2, 6, 8]
    loaded = InMemoryImages(data, padding=0, flip_prob=0.0)
    assert loaded.labels.tolist() == [9, 8, 7]


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('index\n1\n', 'must have the columns'),
        ('index,label\n', 'lists no sample'),
        ('index,label\n1,x\n', 'line 2: index and label must be whole numbers'),
        ('index,label\n1\n', 'line 2: index and label must be whole numbers'),
        ('index,label\n1,-1\n', 'line 2: index and label must be >= 0'),
        ('index,label\n1,2\n1,3\n', 'line 3: sample 1 is listed twice'),
        ('index,label\n1,2\n99,3\n', 'lists sample 99'),
    ],
)
def test_wrong_lists(text: str, message: str, tmp_path: Path):
    with pytest.raises(ValueError, match=message):
        CleanedDataset(Labelled(5), write(tmp_path, text))


def test_no_list(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match='there is no list of labels'):
        CleanedDataset(Labelled(5), str(tmp_path / 'none.csv'))
