"""Data sets of any pipeline: in memory if that gives the same images, one by one if not."""

from __future__ import annotations

import logging
import re
from functools import partial

import numpy as np
import pytest
import torch
import torch.distributed as dist
from mmcv.transforms import RandomFlip
from mmengine.dataset import BaseDataset, DefaultSampler, default_collate, pseudo_collate
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from mmpretrain.datasets import KFoldDataset, RandomCrop
from torch.testing._internal.distributed import fake_pg  # noqa: F401  (registers the backend)
from torch.utils.data import DataLoader, Dataset, IterableDataset

from amlfs_mm.datasets import InMemoryImages, make_reproducible
from amlfs_mm.datasets.loading.whole_batches import WholeBatchLoader, with_whole_batches
from amlfs_mm.utils.randomness import seed_process

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


class Loaded(Noise):
    """Images of the sizes that are given, and which ones have been made, also by copies."""

    def __init__(self, sizes: list[int], **kwargs) -> None:
        self.sizes = sizes
        self.made: list[int] = []
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict]:
        return [dict(size=size, gt_label=0) for size in self.sizes]

    def prepare_data(self, idx: int) -> dict:
        self.made.append(idx)
        info = self.get_data_info(idx)
        size = info.pop('size')
        return self.pipeline(info | dict(img=np.zeros((size, size, 3), np.uint8)))


class Stream(IterableDataset):
    def __iter__(self):
        yield dict(inputs=torch.zeros(3, 5, 6))


class FlippedLabels(RandomFlip):
    """A flip that does more than its base."""

    def transform(self, results: dict) -> dict:
        results = super().transform(results)
        results['gt_label'] += 100 * results['flip']
        return results


class OtherCrop(RandomCrop):
    """A crop that may do more than its base."""


def loader_of(dataset: Dataset, collate_fn=pseudo_collate, **options) -> DataLoader:
    return DataLoader(dataset, batch_size=5, collate_fn=collate_fn, **options)


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
        ([RESIZE, FlippedLabels(prob=0.5), PACK], 1, 'draws random numbers'),
        ([RESIZE, OtherCrop((5, 6), padding=2), PACK], 1, 'draws random numbers'),
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


def test_a_subclass_of_the_flip_is_not_replaced():
    """In a search, where each sample has its seed, with in_memory_gib and without."""
    seen = []
    for gib in (0, 1):
        pipeline = [RESIZE, FlippedLabels(prob=0.5), PACK]
        loader = make_reproducible(with_whole_batches(loader_of(Noise(pipeline=pipeline)), gib), 0)
        loader.batch_sampler.set_epoch(0, 0)
        seen.append([s.gt_label.item() for batch in loader for s in batch['data_samples']])
    assert seen[0] == seen[1]
    assert 0 < sum(label >= 100 for label in seen[0]) < 12


def blacken(samples: list[dict]) -> dict:
    """A collate_fn of one's own."""
    return dict(inputs=torch.stack([s['inputs'] * 0 for s in samples]), data_samples=None)


@pytest.mark.parametrize('explicit', [False, True])
@pytest.mark.parametrize('cached', [0, 1])
def test_a_collate_fn_of_one_s_own_sees_the_samples(explicit: bool, cached: int, told: list[str]):
    data = Noise(pipeline=[RESIZE, PACK])
    if explicit:
        data = InMemoryImages(data, padding=1)
    loader = loader_of(data, partial(blacken))
    assert with_whole_batches(loader, 1) is loader
    (line,) = told
    assert re.match('Images are loaded one by one: collate_fn is .*blacken', line)
    search = make_reproducible(loader, seed=0, batch_cache_gib=cached)
    for _ in range(2):
        search.batch_sampler.set_epoch(0, 0)
        assert [batch['inputs'].sum().item() for batch in search] == [0, 0, 0]


@pytest.mark.parametrize('collate_fn', [pseudo_collate, partial(default_collate), None])
def test_the_usual_ways_to_collate(collate_fn):
    loader = loader_of(Noise(pipeline=[RESIZE, PACK]), collate_fn)
    assert isinstance(with_whole_batches(loader, 1), WholeBatchLoader)


@pytest.mark.parametrize(
    ('sizes', 'pipeline', 'made'),
    [
        ([8] + [1500] * 20, [PACK], [0, 0, 1]),  # another size
        ([1500] * 20, [PACK], [0]),  # too large: the first one tells
        ([8] * 400, [dict(type='mmpretrain.ColorJitter', brightness=0.4), PACK], [0, 0]),  # random
    ],
)
def test_few_images_are_loaded_in_vain(sizes: list[int], pipeline: list, made: list[int]):
    data = Loaded(sizes, pipeline=pipeline)
    loader = loader_of(data)
    assert with_whole_batches(loader, max_gib=0.001) is loader
    assert data.made == made


def test_looking_at_a_random_pipeline_draws_nothing():
    """What is drawn later, such as weights, is the same as with in_memory_gib=0."""
    seed_process(3)
    expected = np.random.rand(), torch.rand(()).item()
    seed_process(3)
    with_whole_batches(loader_of(Noise(pipeline=[FLIP, RESIZE, PACK])), 1)
    assert (np.random.rand(), torch.rand(()).item()) == expected


def test_data_sets_whose_images_have_no_index(told: list[str]):
    loader = DataLoader(Stream(), batch_size=2)
    assert with_whole_batches(loader, 1) is loader
    assert told == ['Images are loaded one by one: Stream is iterable: its images have no index']


def test_a_loader_with_a_number_of_batches(told: list[str]):
    config = dict(
        batch_size=2,
        num_workers=0,
        dataset=Noise(pipeline=[RESIZE, FLIP, PACK]),
        sampler=dict(type='DefaultSampler', shuffle=False),
        num_batch_per_epoch=3,
    )
    loader = Runner.build_dataloader(config)
    assert with_whole_batches(loader, 1) is loader
    (line,) = told
    assert 'passes on the pipeline of another data set; with num_batch_per_epoch' in line


def test_replicas_of_a_baseline_draw_different_crops():
    """mmengine seeds numpy alike on all ranks; alone a process draws what it always has."""

    def crops(rank: int, replicas: int) -> torch.Tensor:
        if replicas > 1:
            store = dist.HashStore()
            dist.init_process_group('fake', rank=rank, world_size=replicas, store=store)
        try:
            seed_process(5)
            return torch.cat([batch['inputs'] for batch in with_whole_batches(loader_of(data), 1)])
        finally:
            if replicas > 1:
                dist.destroy_process_group()

    data = InMemoryImages(Noise(pipeline=[RESIZE, PACK]), padding=2)
    first, second = (crops(rank, 2) for rank in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(second, crops(1, 2))
    seed_process(5)
    batches = [data.batch([*indices]) for indices in (range(5), range(5, 10), range(10, 12))]
    assert torch.equal(crops(0, 1), torch.cat([batch['inputs'] for batch in batches]))
