"""Data sets of any pipeline: in memory if that gives the same images, one by one if not."""

from __future__ import annotations

import logging
import re

import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset, DefaultSampler, pseudo_collate
from mmengine.logging import MMLogger
from mmpretrain.datasets import KFoldDataset
from torch.utils.data import DataLoader, Dataset

from amlfs_mm.datasets import InMemoryImages, make_reproducible
from amlfs_mm.datasets.loading.whole_batches import WholeBatchLoader, with_whole_batches

NOISE = dict(type='amlfs_mm.LabelNoise', ratio=0.5, num_classes=12)
RESIZE = dict(type='mmpretrain.Resize', scale=(6, 5))
CROP = dict(type='mmpretrain.RandomCrop', crop_size=(5, 6), padding=2)
FLIP = dict(type='mmpretrain.RandomFlip', prob=0.5, direction='horizontal')
PACK = dict(type='mmpretrain.PackInputs')


class Noise(BaseDataset):
    METAINFO = dict(classes=('a', 'b'))

    def load_data_list(self) -> list[dict]:
        draw = np.random.default_rng(0)
        sizes = [(5, 6), (10, 12)]
        return [
            dict(img=draw.integers(0, 256, (*sizes[i % 2], 3), dtype=np.uint8), gt_label=i)
            for i in range(12)
        ]


def loader_of(dataset: Dataset, **options) -> DataLoader:
    return DataLoader(dataset, batch_size=5, collate_fn=pseudo_collate, **options)


@pytest.fixture
def told(request) -> list[str]:
    """What the log says."""
    lines = []
    logger = MMLogger.get_instance(request.node.name)

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith('Images'):
                lines.append(record.getMessage())

    logger.addHandler(Keep())
    return lines


@pytest.mark.parametrize(
    ('random', 'padding', 'flip_prob'),
    [([], 0, 0), ([CROP], 2, 0), ([FLIP], 0, 0.5), ([CROP, FLIP], 2, 0.5), ([FLIP, CROP], 2, 0.5)],
)
@pytest.mark.parametrize('fold', [False, True])
def test_a_pipeline_of_crop_and_flip(random: list, padding: int, flip_prob: float, fold: bool):
    """The same images, labels (noise included) and order; the augmentation is InMemoryImages's."""

    def dataset(transforms: list) -> Dataset:
        pipeline = [RESIZE, NOISE, *transforms, PACK]
        if not fold:
            return Noise(pipeline=pipeline)
        return KFoldDataset(dict(type=Noise, pipeline=pipeline), num_splits=3, seed=0)

    data = dataset(random)
    data.full_init()
    loader = with_whole_batches(loader_of(data), max_gib=1)
    assert isinstance(loader, WholeBatchLoader)
    images = loader.dataset
    assert (images.padding, images.flip_prob) == (padding, flip_prob)
    assert images.metainfo['classes'] == ('a', 'b')
    still = dataset([])
    assert len(images) == len(still) == (8 if fold else 12)
    for index in range(len(still)):
        assert torch.equal(images.images[index], still[index]['inputs'])
        assert images.labels[index] == still[index]['data_samples'].gt_label
    assert len(data[0]['inputs']) == 3  # the data set itself has kept its pipeline
    assert [len(batch['data_samples']) for batch in loader] == ([5, 3] if fold else [5, 5, 2])


@pytest.mark.parametrize(
    ('pipeline', 'max_gib', 'reason'),
    [
        ([RESIZE, PACK], 1e-6, r'12 images of \(3, 5, 6\) take 0.00 GiB, more than in_memory_gib'),
        ([PACK], 1, 'uint8 images of one size, with Resize'),
        ([RESIZE, dict(CROP, padding_mode='reflect'), PACK], 1, 'no crop of the own size'),
        ([RESIZE, dict(CROP, crop_size=4), PACK], 1, 'no crop of the own size'),
        ([RESIZE, CROP, CROP, PACK], 1, 'the pipeline has two RandomCrop'),
        ([RESIZE, dict(FLIP, direction='vertical'), PACK], 1, 'is not a horizontal flip'),
        ([FLIP, RESIZE, PACK], 1, 'draws random numbers'),
        ([RESIZE], 1, 'Noise has no pipeline that ends in PackInputs'),
    ],
)
def test_images_are_loaded_one_by_one_and_the_log_says_why(
    pipeline: list, max_gib: float, reason: str, told: list[str]
):
    loader = loader_of(Noise(pipeline=pipeline))
    assert with_whole_batches(loader, max_gib) is loader
    (line,) = told
    assert line.startswith('Images are loaded one by one: ')
    assert re.search(reason, line)


def test_zero_leaves_a_loader_alone(told: list[str]):
    loader = loader_of(Noise(pipeline=[RESIZE, PACK]))
    assert with_whole_batches(loader, 0) is loader
    assert not told
    in_memory = loader_of(InMemoryImages(Noise(pipeline=[RESIZE, PACK])))
    assert isinstance(with_whole_batches(in_memory, 0), WholeBatchLoader)


def test_loaders_of_samples_and_of_batches_give_the_same(told: list[str]):
    """Without workers, and with two, which the whole batches do not use."""
    images = InMemoryImages(Noise(pipeline=[RESIZE, PACK]), padding=0, flip_prob=0)
    for workers in (0, 2):
        loader = loader_of(images, num_workers=workers)
        for one, whole in zip(loader, with_whole_batches(loader, 0), strict=True):
            assert torch.equal(torch.stack(one['inputs']), whole['inputs'])
            assert [s.gt_label.item() for s in one['data_samples']] == [
                s.gt_label.item() for s in whole['data_samples']
            ]


def test_a_search_s_loader_gives_whole_batches_again():
    data = Noise(pipeline=[RESIZE, CROP, FLIP, PACK])
    sampler = DefaultSampler(data, seed=0)
    loader = with_whole_batches(loader_of(data, sampler=sampler, num_workers=2), 1)
    loader = make_reproducible(loader, seed=1, batch_cache_gib=1)
    loader.batch_sampler.set_epoch(0, 0)
    first, again = list(loader), list(loader)
    assert all(one is other for one, other in zip(first, again, strict=True))
    loader.forget()
    loader.batch_sampler.set_epoch(0, 0, skip=1)
    skipped = list(loader)
    assert torch.equal(skipped[0]['inputs'], first[1]['inputs'])
    assert len(skipped) == 2
