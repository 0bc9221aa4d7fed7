"""Random numbers that depend on what is computed, never on which process computes it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def derive_seed(*numbers: int) -> int:
    """A seed in [0, 2^32) from several non-negative integers, well mixed.

    Neighbouring inputs, such as (seed, epoch, candidate) and (seed, epoch, candidate + 1), give
    unrelated streams; the order matters.
    """
    # The length too: SeedSequence pads with zeros, so (a, b) and (a, b, 0) would be one stream.
    return int(np.random.SeedSequence((len(numbers), *numbers)).generate_state(1)[0])


def derive_seeds(*numbers: int | np.ndarray) -> np.ndarray:
    """:func:`derive_seed` of many at once, a tenth of its time for a batch of 128.

    numpy's SeedSequence, whose result its documentation fixes, written out for arrays: it takes
    one sequence of numbers at a time.

    Args:
        numbers: In [0, 2^32); each one number, the same for all, or an array (N,).

    Returns:
        (N,) uint32.
    """
    words = [np.atleast_1d(np.asarray(word, np.uint32)) for word in (len(numbers), *numbers)]
    words += [np.zeros(1, np.uint32)] * (4 - len(words))
    constant = 0x43B0D7E5

    def hashed(value: np.ndarray) -> np.ndarray:
        nonlocal constant
        value = value ^ np.uint32(constant)
        constant = constant * 0x931E8875 % 2**32
        value = value * np.uint32(constant)
        return value ^ value >> 16

    def mixed(value: np.ndarray, other: np.ndarray) -> np.ndarray:
        value = value * np.uint32(0xCA01F9DD) - other * np.uint32(0x4973F715)
        return value ^ value >> 16

    pool = [hashed(word) for word in words[:4]]
    for source in range(4):
        for target in range(4):
            if source != target:
                pool[target] = mixed(pool[target], hashed(pool[source]))
    for word in words[4:]:
        pool = [mixed(value, hashed(word)) for value in pool]
    state = (pool[0] ^ np.uint32(0x8B51F9DD)) * np.uint32(0x8B51F9DD * 0x58F38DED % 2**32)
    return state ^ state >> 16


def seed_process(seed: int) -> None:
    """Seed Python's, numpy's and torch's (every device's) global generators."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def random_state() -> dict:
    """The state of all that :func:`seed_process` seeds (of CUDA: this process's device)."""
    name, keys, *position = np.random.get_state()
    return dict(
        python=random.getstate(),
        # Lists: what a checkpoint may hold.
        numpy=(name, keys.tolist(), *position),
        torch=torch.get_rng_state(),
        cuda=torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
    )


def set_random_state(state: dict) -> None:
    """Go on from a :func:`random_state`."""
    name, keys, *position = state['numpy']
    random.setstate(state['python'])
    np.random.set_state((name, np.array(keys, dtype=np.uint32), *position))
    torch.set_rng_state(state['torch'])
    if state['cuda'] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'])


def seed_cpu(seed: int) -> None:
    """Seed Python's, numpy's and torch's global generators of the CPU."""
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)


def cpu_generators() -> tuple:
    """The states of all that :func:`seed_cpu` seeds."""
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def same_generators(one: tuple, other: tuple) -> bool:
    """Whether two :func:`cpu_generators` are equal: whether nothing was drawn between them."""
    return (
        one[0] == other[0]
        and all(np.array_equal(a, b) for a, b in zip(one[1], other[1], strict=True))
        and torch.equal(one[2], other[2])
    )


@contextmanager
def generators_kept() -> Iterator[None]:
    """The body may seed and use the CPU generators; afterwards they are as they were before.

    Costs more than ten times what :func:`seed_cpu` does: where there are many seeds, once for all.
    """
    python, of_numpy, of_torch = cpu_generators()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(of_numpy)
        torch.set_rng_state(of_torch)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The body draws from CPU generators seeded so; afterwards they are as they were before."""
    with generators_kept():
        seed_cpu(seed)
        yield
