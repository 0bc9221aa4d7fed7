"""Epochs of a fixed number of batches."""

import pytest
from mmengine.dataset import DefaultSampler

from amlfs_mm.datasets import FixedLengthBatchSampler


def epochs(num_batches: int, count: int, images: int = 23, batch_size: int = 4) -> list[list]:
    sampler = DefaultSampler(range(images), shuffle=True, seed=1)
    batches = FixedLengthBatchSampler(sampler, batch_size, num_batches)
    assert len(batches) == num_batches
    found = []
    for epoch in range(count):
        sampler.set_epoch(epoch)
        found.append(list(batches))
    return found


def test_an_epoch_is_so_many_batches_of_a_new_shuffle():
    first, second = epochs(num_batches=3, count=2)
    for epoch in (first, second):
        assert [len(batch) for batch in epoch] == [4, 4, 4]
        drawn = [image for batch in epoch for image in batch]
        assert len(set(drawn)) == 12
        assert set(drawn) <= set(range(23))
    assert first != second


def test_all_images_come_as_often_in_the_long_run():
    """400 epochs of 12 of 23 images: each about 209 times, give or take 4 deviations of 10."""
    drawn = [image for epoch in epochs(3, 400) for batch in epoch for image in batch]
    counts = [drawn.count(image) for image in range(23)]
    assert min(counts) > 169
    assert max(counts) < 249


@pytest.mark.parametrize('num_batches', [0, -1, 6, 2.5])
def test_more_batches_than_the_data_has(num_batches: int):
    """23 images are 5 whole batches of 4."""
    with pytest.raises(ValueError, match=r'has 5 batches of 4: choose 1 to 5') as error:
        epochs(num_batches, 1)
    assert f'num_batches={num_batches}' in str(error.value)


def test_a_batch_larger_than_the_data():
    with pytest.raises(ValueError, match=r'batch_size=24 is more than the 23 images'):
        epochs(num_batches=1, count=1, batch_size=24)
