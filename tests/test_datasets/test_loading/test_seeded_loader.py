"""Order and augmentation depend on (seed, epoch, candidate, index) alone."""

import random

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, worker_init_fn
from torch.utils.data import DataLoader, Dataset, IterableDataset, RandomSampler

from amlfs_mm.datasets import make_reproducible
from amlfs_mm.utils.randomness import derive_seed, derive_seeds, seed_process


class Draws(Dataset):
    """Each sample is its index and a draw from each generator that augmentations use."""

    metainfo = dict(classes=('a', 'b'))

    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int):
        return index, random.random(), np.random.rand(), torch.rand(()).item()


def draws(seed=7, epoch=3, candidate=1, workers=0, sampler='default', passes=1) -> list:
    data = Draws()
    if sampler == 'default':
        order = DefaultSampler(data, shuffle=True, seed=0)
    else:
        order = RandomSampler(data)  # takes its order from torch's global generator
    loader = DataLoader(
        data,
        batch_size=6,
        sampler=order,
        num_workers=workers,
        persistent_workers=workers > 0,
        worker_init_fn=_mmengine_init if workers else None,
    )
    loader = make_reproducible(loader, seed)
    for _ in range(passes):
        seed_process(derive_seed(seed, epoch, candidate))
        loader.batch_sampler.set_epoch(epoch, candidate)
        seen = [tuple(sample) for batch in loader for sample in zip(*batch, strict=True)]
    return [tuple(float(value) for value in sample) for sample in seen]


def _mmengine_init(worker: int) -> None:
    worker_init_fn(worker, num_workers=2, rank=5, seed=11)


@pytest.mark.parametrize('sampler', ['default', 'random'])
def test_independent_of_workers_and_history(sampler: str):
    expected = draws(sampler=sampler)
    assert sorted(int(sample[0]) for sample in expected) == list(range(20))
    assert draws(sampler=sampler, workers=2) == expected
    assert draws(sampler=sampler, workers=1, passes=2) == expected
    assert draws(sampler=sampler, passes=2) == expected


def test_numbers_are_those_of_the_sample_s_own_seed():
    for index, *numbers in draws(seed=7, epoch=3, candidate=1):
        seed = derive_seed(7, 3, 1, int(index), 0)
        expected = [random.Random(seed).random(), np.random.RandomState(seed).rand()]
        expected.append(torch.rand((), generator=torch.Generator().manual_seed(seed)).item())
        assert numbers == expected


@pytest.mark.parametrize('change', [dict(seed=8), dict(epoch=4), dict(candidate=2)])
def test_everything_changes_with_the_stream(change: dict):
    one, other = draws(), draws(**change)
    assert [sample[0] for sample in one] != [sample[0] for sample in other]
    by_index, other_by_index = dict_of(one), dict_of(other)
    for index in range(20):
        assert all(a != b for a, b in zip(by_index[index], other_by_index[index], strict=True))


def dict_of(samples: list) -> dict:
    return {sample[0]: sample[1:] for sample in samples}


def test_the_training_process_keeps_its_own_numbers():
    """Loading in the main process must not disturb dropout."""
    loader = make_reproducible(DataLoader(Draws(), batch_size=5), 0)
    seed_process(1)
    expected = random.random(), np.random.rand(), torch.rand(()).item()
    seed_process(1)
    for _ in loader:
        pass
    assert (random.random(), np.random.rand(), torch.rand(()).item()) == expected


def test_a_sample_drawn_twice_is_augmented_twice():
    loader = DataLoader(Draws(), batch_size=2, sampler=[4, 4, 5, 4])
    first, second = list(make_reproducible(loader, 0))
    values = [first[1][0], first[1][1], second[1][1]]
    assert len({float(value) for value in values}) == 3


def test_the_wrapped_dataset_still_answers():
    loader = make_reproducible(DataLoader(Draws(), batch_size=6, drop_last=True), 0)
    assert loader.dataset.metainfo == dict(classes=('a', 'b'))
    assert len(loader.dataset) == 20
    assert len(loader) == 3


def test_datasets_without_an_index_are_refused():
    class Stream(IterableDataset):
        def __iter__(self):
            yield 1

    with pytest.raises(ValueError, match='map-style dataset'):
        make_reproducible(DataLoader(Stream(), batch_size=1), 0)


def test_streams_of_different_length_differ():
    """numpy's SeedSequence pads with zeros; (1, 2) and (1, 2, 0) must not be one stream."""
    assert len({derive_seed(1, 2), derive_seed(1, 2, 0), derive_seed(2, 1), derive_seed(1)}) == 4


@pytest.mark.parametrize('length', range(1, 8))
def test_many_seeds_are_those_of_one_at_a_time(length: int):
    draw = np.random.default_rng(length)
    many = [draw.integers(0, 2**32, 20) for _ in range(length)]
    many[-1][:3] = 0, 1, 2**32 - 1
    expected = [derive_seed(*numbers.tolist()) for numbers in np.array(many).T]
    assert derive_seeds(*many).tolist() == expected


def test_one_number_for_many_seeds():
    indices = np.arange(5)
    expected = [derive_seed(7, 0, 3, index, 1) for index in range(5)]
    assert derive_seeds(7, 0, 3, indices, np.ones(5, int)).tolist() == expected
    with pytest.raises(OverflowError):
        derive_seeds(2**32, indices)
