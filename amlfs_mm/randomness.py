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


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The body draws from CPU generators seeded so; afterwards they are as they were before."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
