"""Random numbers that depend on what is computed, not on the process that computes it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import numpy as np
import torch

from .devices import device_random_state, set_device_random_state


def derive_seed(*numbers: int) -> int:
    """A seed in [0, 2^32) from several non-negative integers.

    Similar inputs, such as (seed, epoch, candidate) and (seed, epoch, candidate + 1), give
    unrelated seeds. The order matters.
    """
    # SeedSequence pads with zeros: without the length, (a, b) and (a, b, 0) would give one seed.
    return int(np.random.SeedSequence((len(numbers), *numbers)).generate_state(1)[0])


def derive_seeds(*numbers: int | np.ndarray) -> np.ndarray:
    """:func:`derive_seed` for arrays: for a batch of 128 in a tenth of the time.

    numpy's SeedSequence takes one sequence of numbers at a time. This is its algorithm, which its
    documentation guarantees, written for arrays.

    Args:
        numbers: Integers in [0, 2^32): each a number that is the same for all, or an array (N,).

    Returns:
        Seeds (N,), uint32.
    """
    words = [np.atleast_1d(np.asarray(word, np.uint32)) for word in (len(numbers), *numbers)]
    words += [np.zeros(1, np.uint32)] * (4 - len(words))
    constant = 0x43B0D7E5

    def hashed(value: np.ndarray) -> np.ndarray:
        nonlocal constant
        value = value ^ np.uint32(constant)
        constant = constant * 0x931E8875 % 2**32
        value = value * np.uint32(constant)
        return value ^ value >> np.uint32(16)

    def mixed(value: np.ndarray, other: np.ndarray) -> np.ndarray:
        result: np.ndarray = value * np.uint32(0xCA01F9DD) - other * np.uint32(0x4973F715)
        return result ^ result >> np.uint32(16)

    pool = [hashed(word) for word in words[:4]]
    for source in range(4):
        for target in range(4):
            if source != target:
                pool[target] = mixed(pool[target], hashed(pool[source]))
    for word in words[4:]:
        pool = [mixed(value, hashed(word)) for value in pool]
    state = (pool[0] ^ np.uint32(0x8B51F9DD)) * np.uint32(0x8B51F9DD * 0x58F38DED % 2**32)
    return state ^ state >> np.uint32(16)


def seed_process(seed: int) -> None:
    """Seed the global generators of Python, numpy and torch (on every device)."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def random_state() -> dict:
    """States of all generators that :func:`seed_process` seeds; of devices only this process's."""
    # Typed as any of numpy's two forms; without an argument it is the tuple.
    name, keys, *position = cast(tuple, np.random.get_state())
    return dict(
        python=random.getstate(),
        # A list, which a checkpoint may hold; an array would need an exception.
        numpy=(name, keys.tolist(), *position),
        torch=torch.get_rng_state(),
        cuda=device_random_state(),  # named as in the files that older versions have written
    )


def set_random_state(state: dict) -> None:
    """Set the generators to the states that :func:`random_state` gave."""
    name, keys, *position = state['numpy']
    random.setstate(state['python'])
    np.random.set_state((name, np.array(keys, dtype=np.uint32), *position))
    torch.set_rng_state(state['torch'])
    set_device_random_state(state['cuda'])


def seed_cpu(seed: int) -> None:
    """Seed the global generators of Python, numpy and torch on the CPU."""
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)


def cpu_generators() -> tuple:
    """States of all generators that :func:`seed_cpu` seeds."""
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def same_generators(one: tuple, other: tuple) -> bool:
    """Whether two results of :func:`cpu_generators` are equal: nothing was drawn in between."""
    return (
        one[0] == other[0]
        and all(np.array_equal(a, b) for a, b in zip(one[1], other[1], strict=True))
        and torch.equal(one[2], other[2])
    )


@contextmanager
def generators_kept() -> Iterator[None]:
    """Restore the CPU generators after the body, which may seed and use them.

    This costs more than ten times what :func:`seed_cpu` does: with many seeds, enter it once.
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
    """Seed the CPU generators for the body, and restore them after it."""
    with generators_kept():
        seed_cpu(seed)
        yield
