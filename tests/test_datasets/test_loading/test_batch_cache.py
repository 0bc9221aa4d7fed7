"""What is kept is what would have been loaded, and is given out until it is forgotten."""

from collections import Counter

import pytest
import torch
from mmengine.dataset import DefaultSampler, pseudo_collate
from mmpretrain.structures import DataSample
from torch.utils.data import DataLoader, Dataset, RandomSampler

from amlfs_mm.datasets import make_reproducible
from amlfs_mm.datasets.loading.batch_cache import SAMPLE_BYTES, bytes_of
from amlfs_mm.utils.randomness import seed_process

GIB = 2**30
EPOCH = 10 * (6 * 4 + 8 + SAMPLE_BYTES)  # bytes: 6 floats and a label (int64) a sample


class Counted(Dataset):
    """Ten samples of noise, and how often each was loaded."""

    def __init__(self) -> None:
        self.loads = Counter()

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> dict:
        self.loads[index] += 1
        return dict(inputs=torch.rand(6), data_samples=DataSample().set_gt_label(index))


def loader_of(data: Dataset, gib: float = 1, sampler=None):
    sampler = sampler or DefaultSampler(data, seed=0)
    loader = DataLoader(data, batch_size=4, sampler=sampler, collate_fn=pseudo_collate)
    return make_reproducible(loader, seed=3, batch_cache_gib=gib)


def epoch(loader, number: int = 0, candidate: int = 0, skip: int = 0) -> list[tuple[float, int]]:
    loader.batch_sampler.set_epoch(number, candidate, skip)
    return [
        (inputs.sum().item(), sample.gt_label.item())
        for batch in loader
        for inputs, sample in zip(batch['inputs'], batch['data_samples'], strict=True)
    ]


def test_the_next_candidates_get_what_is_kept():
    data = Counted()
    loader, plain = loader_of(data), loader_of(Counted(), gib=0)
    for number in (0, 1, 0, 1):  # candidates of a round of two epochs
        assert epoch(loader, number) == epoch(plain, number)
    assert set(data.loads.values()) == {2}
    assert epoch(loader, 0, skip=1) == epoch(plain, 0, skip=1)
    assert epoch(loader, 0, skip=99) == []
    assert epoch(loader, 0, candidate=1) == epoch(plain, 0, candidate=1)
    assert set(data.loads.values()) == {3}


def test_what_is_forgotten_is_loaded_again():
    data = Counted()
    loader = loader_of(data)
    first = epoch(loader)
    loader.forget()
    assert epoch(loader) == first
    assert set(data.loads.values()) == {2}


@pytest.mark.parametrize(('room', 'loads'), [(EPOCH - 1, 4), (EPOCH, 3), (2 * EPOCH, 2)])
def test_only_epochs_that_fit_are_kept(room: int, loads: int):
    """Epochs 0 and 1, each twice: with room for one the first is kept."""
    data = Counted()
    loader = loader_of(data, gib=room / GIB)
    assert [epoch(loader, 0), epoch(loader, 1)] == [epoch(loader, 0), epoch(loader, 1)]
    assert set(data.loads.values()) == {loads}


def test_an_epoch_that_was_not_seen_whole_is_not_kept():
    data = Counted()
    loader = loader_of(data)
    last = epoch(loader, skip=2)
    whole = epoch(loader)
    assert (len(last), len(whole)) == (2, 10)
    assert whole[8:] == last
    loader.forget()
    next(iter(loader))  # a stopped epoch
    assert epoch(loader) == whole


def test_the_training_s_random_numbers_are_the_same():
    """A sampler that draws its order from the process's generator leaves it where it would be."""

    def dropout(gib: float) -> float:
        loader = loader_of(Counted(), gib, RandomSampler(range(10)))
        for _ in range(2):
            seed_process(5)
            epoch(loader)
        return torch.rand(()).item()

    assert dropout(gib=1) == dropout(gib=0)


def test_memory_of_a_batch():
    batch = dict(inputs=[torch.zeros(2, 3)], data_samples=(DataSample().set_gt_label(1),), x='a')
    assert bytes_of(batch) == 24 + 8 + SAMPLE_BYTES
