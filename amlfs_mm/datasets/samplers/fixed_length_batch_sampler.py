"""Epochs of a fixed number of iterations, such as a search round shorter than a pass."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from mmengine.logging import print_log
from torch.utils.data import BatchSampler, Sampler

from amlfs_mm.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class FixedLengthBatchSampler(BatchSampler):
    """The first ``num_batches`` batches of a new shuffle in every epoch.

    For recipes that count iterations. 30 epochs of 1,000 batches are 30k iterations, and a search
    has 30 rounds; with passes over CASIA-WebFace it would have about 16. In an epoch each image
    comes once at most, and all with the same probability. Over several epochs some images come more
    often than others.

    Args:
        sampler: mmengine's ``DefaultSampler`` over the training set.
        batch_size: Images of one process in a batch.
        num_batches: Iterations of an epoch.

    Raises:
        ValueError: A pass over the data has fewer batches than ``num_batches``, or none.
    """

    def __init__(self, sampler: Sampler, batch_size: int, num_batches: int) -> None:
        super().__init__(sampler, batch_size, drop_last=True)
        in_a_pass = super().__len__()
        if in_a_pass == 0:
            raise ValueError(
                f'batch_size={batch_size} is more than the {len(sampler)} images of a process: '
                'lower it'
            )
        if not isinstance(num_batches, int) or not 1 <= num_batches <= in_a_pass:
            raise ValueError(
                f'num_batches={num_batches}, but a pass over the {len(sampler)} images of a '
                f'process has {in_a_pass} batches of {batch_size}: choose 1 to {in_a_pass}'
            )
        self.num_batches = num_batches
        print_log(
            f'An epoch is {num_batches} of the {in_a_pass} iterations of a pass', logger='current'
        )

    def __iter__(self) -> Iterator[list[int]]:
        return islice(super().__iter__(), self.num_batches)

    def __len__(self) -> int:
        return self.num_batches
