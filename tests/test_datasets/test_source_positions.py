"""Positions in the source: what ``indices`` of the whole data set would take."""

from __future__ import annotations

import pytest
from helpers.small_data import Labelled
from mmengine.dataset import ClassBalancedDataset, ConcatDataset, RepeatDataset
from mmpretrain.datasets import KFoldDataset
from torch.utils.data import Subset

from amlfs_mm.datasets import InMemoryImages
from amlfs_mm.datasets.source_positions import source_positions

SIZE = 30


def images_of(dataset, indices) -> list:
    return [dataset[index]['inputs'].tolist() for index in indices]


SETS = {
    'whole': lambda: Labelled(SIZE),
    'first': lambda: Labelled(SIZE, indices=7),
    'last': lambda: Labelled(SIZE, indices=-7),
    'some': lambda: Labelled(SIZE, indices=[5, -1, 9]),
    'subset': lambda: Subset(Labelled(SIZE, indices=[8, 3, 5]), [2, 0]),
    'repeated': lambda: RepeatDataset(Labelled(SIZE, indices=4), 3),
    'balanced': lambda: ClassBalancedDataset(Labelled([0] * 9 + [1], indices=-6), 0.5),
    'fold': lambda: KFoldDataset(dict(type='Labelled', labels=SIZE), fold=1, seed=2),
    'fold of a part': lambda: KFoldDataset(
        dict(type='Labelled', labels=SIZE, indices=-12), fold=1, seed=2
    ),
    'in memory': lambda: InMemoryImages(Labelled(SIZE, indices=-5), padding=0, flip_prob=0.0),
}


@pytest.mark.parametrize('name', SETS)
def test_the_source_has_the_same_image_there(name: str):
    dataset = SETS[name]()
    positions = source_positions(dataset)
    assert len(positions) == len(dataset)
    source = Labelled([0] * 9 + [1]) if name == 'balanced' else Labelled(SIZE)
    assert images_of(dataset, range(len(dataset))) == images_of(source, positions)


def test_sources_are_counted_through():
    parts = [Labelled(SIZE, indices=[4]), Labelled(SIZE), Labelled(SIZE, indices=-1)]
    expected = [4, *range(SIZE, 2 * SIZE), 3 * SIZE - 1]
    assert source_positions(ConcatDataset(parts)) == expected
