"""Heads, losses, necks and backbones train on a device: the CPU's numbers, and nothing waits."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from helpers.device_models import MODELS_OF_TEST, build, train_two_steps
from helpers.standin_device import counted, install

DEVICE = install()


@contextmanager
def nothing_crosses() -> Iterator[None]:
    with counted() as traffic:
        yield
    assert not traffic.waits, traffic.waits
    assert not traffic.to_device, traffic.to_device


@pytest.mark.parametrize('name', MODELS_OF_TEST)
def test_training_gives_the_cpus_numbers_without_waiting(name: str) -> None:
    model = build(name)
    there = copy.deepcopy(model).to(DEVICE)
    ours = train_two_steps(there, DEVICE, nothing_crosses)
    theirs = train_two_steps(model, torch.device('cpu'))
    assert list(ours) == list(theirs)
    for key, value in ours.items():
        assert value.device == DEVICE, key
        torch.testing.assert_close(value.cpu(), theirs[key], rtol=0, atol=0, equal_nan=True)
    assert all(torch.isfinite(value).all() for value in theirs.values())
