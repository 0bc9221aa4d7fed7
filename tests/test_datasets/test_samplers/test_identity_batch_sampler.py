"""P x K batches: what is in them, how many there are, on one process and on several."""

import itertools
import logging
from collections import Counter

import numpy as np
import pytest
from mmengine.dataset import DefaultSampler
from mmengine.logging import MMLogger
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import DataLoader, Dataset

from amlfs_mm.datasets import IdentityBatchSampler, make_reproducible
from amlfs_mm.datasets.samplers.identity_batch_sampler import count_batches


class People(Dataset):
    """counts[i] images of identity i, shuffled."""

    metainfo = dict()

    def __init__(self, counts: list[int], seed: int = 0) -> None:
        labels = np.repeat(np.arange(len(counts)), counts)
        self.labels = np.random.default_rng(seed).permutation(labels).tolist()

    def __len__(self) -> int:
        return len(self.labels)

    def get_data_info(self, index: int) -> dict:
        return dict(gt_label=self.labels[index])

    def __getitem__(self, index: int) -> int:
        return index


class Replica(DefaultSampler):
    """What DefaultSampler is on replica ``rank`` of ``world_size``."""

    def __init__(self, dataset, rank: int = 0, world_size: int = 1) -> None:
        super().__init__(dataset, seed=0)
        self.rank, self.world_size = rank, world_size


def sampler(people: People, p: int, k: int, epoch='full', rank=0, world_size=1):
    return IdentityBatchSampler(Replica(people, rank, world_size), p * k, k, epoch)


MARKET_LIKE = np.random.default_rng(7).integers(2, 40, 80).tolist()
CASES = [
    ([5, 9, 4, 4, 12, 7], 3, 4),
    ([1, 2, 3, 4, 5, 6], 2, 4),  # fewer images than K
    ([40, 3, 3, 3], 2, 3),  # one identity has most images
    ([4] * 6, 6, 4),
    (MARKET_LIKE, 16, 4),
]


@pytest.mark.parametrize(('counts', 'p', 'k'), CASES, ids=str)
@pytest.mark.parametrize('epoch', ['full', 'short'])
def test_batches(counts: list[int], p: int, k: int, epoch: str):
    people = People(counts)
    batches = sampler(people, p, k, epoch)
    for number in range(4):
        batches.sampler.set_epoch(number)
        made = list(batches)
        assert len(made) == len(batches)
        for batch in made:
            labels = [people.labels[index] for index in batch]
            assert len(set(labels)) == p
            assert all(labels[i] == labels[i - i % k] for i in range(len(labels)))
            for start in range(0, len(batch), k):
                group = batch[start : start + k]
                # Replacement only where an identity has fewer than K images.
                assert len(set(group)) == min(k, counts[labels[start]])


@pytest.mark.parametrize(('counts', 'p', 'k'), CASES, ids=str)
def test_a_full_pass_sees_what_it_can(counts: list[int], p: int, k: int):
    people = People(counts)
    batches = sampler(people, p, k)
    drawn = Counter(index for batch in batches for index in batch)
    groups = Counter(people.labels[index] for index in itertools.chain(*batches))
    # No image twice but to fill up an identity's last group.
    repeated = sum(count - 1 for count in drawn.values())
    assert repeated <= sum(-count % k for count in counts)
    assert all(count % k == 0 for count in groups.values())
    # One batch more cannot be made.
    most = [min(-(-count // k), len(batches) + 1) for count in counts]
    assert sum(most) < (len(batches) + 1) * p


def test_full_and_short_lengths():
    people = People(MARKET_LIKE)
    full, short = (sampler(people, 16, 4, epoch) for epoch in ('full', 'short'))
    assert len(short) == 80 // 16
    groups = sum(-(-count // 4) for count in MARKET_LIKE)
    assert len(full) == groups // 16
    labels = [people.labels[batch[i]] for batch in short for i in range(0, 64, 4)]
    assert sorted(labels) == list(range(80))


def naive_count(groups: list[int], width: int) -> int:
    """Take from the fullest classes as long as there are enough: the most batches."""
    groups, batches = sorted(groups, reverse=True), 0
    while len(groups) >= width and groups[width - 1] > 0:
        groups = sorted([g - 1 for g in groups[:width]] + groups[width:], reverse=True)
        batches += 1
    return batches


@pytest.mark.parametrize('seed', range(30))
def test_the_number_of_batches_is_the_largest(seed: int):
    draw = np.random.default_rng(seed)
    groups = draw.integers(1, 12, draw.integers(2, 12)).tolist()
    width = int(draw.integers(1, len(groups) + 1))
    assert count_batches(groups, width) == naive_count(groups, width)


def test_epochs_differ_and_repeat():
    people = People(MARKET_LIKE)
    one, other = (sampler(people, 16, 4) for _ in range(2))
    first = list(one)
    assert list(one) == first == list(other)
    one.sampler.set_epoch(1)
    assert list(one) != first
    assert {index for batch in one for index in batch} != {i for batch in first for i in batch}


def test_identities_meet_others_in_other_epochs():
    people = People([8] * 20)
    batches = sampler(people, 4, 4)
    met = Counter()
    for epoch in range(60):
        batches.sampler.set_epoch(epoch)
        for batch in batches:
            labels = {people.labels[index] for index in batch}
            met.update(itertools.combinations(sorted(labels), 2))
    # 60 x 10 batches x 6 pairs over 190 pairs: 19 each on average.
    assert len(met) == 190
    assert max(met.values()) < 50


@pytest.mark.parametrize('world', [2, 4])
def test_replicas_share_a_batch(world: int):
    people = People(MARKET_LIKE)
    alone = list(sampler(people, 16, 4))
    parts = [list(sampler(people, 16, 4, rank=rank, world_size=world)) for rank in range(world)]
    assert [list(itertools.chain(*batch)) for batch in zip(*parts, strict=True)] == alone
    assert all(len(batch) == 64 // world for part in parts for batch in part)


def test_in_a_search_the_order_is_the_streams():
    """make_reproducible finds set_epoch through the batch sampler: epoch and candidate decide."""
    people = People(MARKET_LIKE)

    def order(epoch: int, candidate: int, rank: int = 0, world: int = 1) -> list:
        batches = sampler(people, 16, 4, rank=rank, world_size=world)
        loader = make_reproducible(DataLoader(people, batch_sampler=batches), seed=5)
        loader.batch_sampler.set_epoch(epoch, candidate)
        return [batch.tolist() for batch in loader]

    assert order(1, 2) == order(1, 2)
    assert order(1, 2) != order(1, 3)
    assert order(1, 2) != order(2, 2)
    halves = [order(1, 2, rank, 2) for rank in range(2)]
    assert [a + b for a, b in zip(*halves, strict=True)] == order(1, 2)


def test_it_says_how_long_an_epoch_is():
    said = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    try:
        DATA_SAMPLERS.build(
            dict(type='amlfs_mm.IdentityBatchSampler'),
            default_args=dict(sampler=Replica(People([4] * 32)), batch_size=64),
        )
    finally:
        logger.removeHandler(handler)
    assert '2 iterations of 16 identities x 4 images' in '\n'.join(said)


@pytest.mark.parametrize(
    ('options', 'says'),
    [
        (dict(p=7), 'needs 7 identities, but the training set has 6: lower batch_size to 24'),
        (dict(epoch='half'), r"'full', 'short'.*'half'"),
        (dict(p=3, world_size=2), '2 replicas cannot share the 3 identities'),
    ],
)
def test_bad_options(options: dict, says: str):
    with pytest.raises(ValueError, match=says):
        sampler(People([5] * 6), **{**dict(p=4, k=4), **options})


def test_a_batch_that_k_does_not_divide():
    with pytest.raises(ValueError, match=r'batch_size=30 .* num_instances=4'):
        IdentityBatchSampler(Replica(People([5] * 6)), 30, 4)


@pytest.mark.parametrize('label', [-1, None, 1.5, 'two'])
def test_samples_without_a_proper_label(label):
    people = People([4, 4, 4])
    people.labels[5] = label
    with pytest.raises(
        ValueError, match=r'sample 5 \(no file\) has the label .*whole number from 0'
    ):
        sampler(people, 2, 2)
