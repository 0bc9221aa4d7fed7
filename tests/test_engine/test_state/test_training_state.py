"""Capture, train on, restore, train again: the second time is the first time."""

from pathlib import Path

import pytest
import torch
from helpers.epochs import epoch, start
from helpers.runs import assert_equal

from amlfs_mm.engine import TrainingState
from amlfs_mm.engine.state.optimizers import clear_optimizers


@pytest.mark.parametrize(
    'optimizer',
    [
        dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=1e-4),
        dict(type='AdamW', lr=1e-3),
    ],
    ids=lambda optimizer: optimizer['type'],
)
@pytest.mark.parametrize('accumulate', [1, 4])  # 4 of 6 iterations: two are left at the end
def test_restored_is_as_captured(tmp_path: Path, optimizer: dict, accumulate: int):
    wrapper = dict(type='OptimWrapper', accumulative_counts=accumulate, optimizer=optimizer)
    runner = start(tmp_path, optim_wrapper=wrapper)
    fresh = TrainingState.capture(runner)
    first = epoch(runner, 1)
    after_first = TrainingState.capture(runner)
    second = epoch(runner, 2)
    assert not torch.equal(first['model']['head.fc.weight'], second['model']['head.fc.weight'])

    after_first.restore(runner)
    assert_equal(epoch(runner, 2), second, 'second epoch again')
    fresh.restore(runner)  # an optimizer without any state yet
    assert_equal(epoch(runner, 1), first, 'first epoch again')
    after_first.restore(runner)  # training did not reach into the copy
    assert_equal(epoch(runner, 2), second, 'second epoch once more')


def test_buffers_that_no_checkpoint_holds_are_captured(tmp_path: Path):
    runner = start(tmp_path)
    epoch(runner, 1)
    counted = runner.model.head.t_count.clone()
    assert counted.sum() == 96
    state = TrainingState.capture(runner)
    epoch(runner, 2)
    state.restore(runner)
    assert torch.equal(runner.model.head.t_count, counted)


def test_one_flat_tensor_a_dtype(tmp_path: Path):
    """What is sent is as large as the state, in a handful of messages."""
    runner = start(tmp_path)
    epoch(runner, 1)
    flat = TrainingState.capture(runner).flat
    assert set(flat) == {('cpu', torch.float32), ('cpu', torch.int64)}
    parameters = sum(p.numel() for p in runner.model.parameters())
    floats = sum(b.numel() for b in runner.model.buffers() if b.is_floating_point())
    # Model and averaged model, and SGD's momentum.
    assert flat['cpu', torch.float32].numel() == 2 * (parameters + floats) + parameters


def test_clear_optimizers(tmp_path: Path):
    runner = start(tmp_path)
    epoch(runner, 1)
    clear_optimizers(runner)
    assert runner.optim_wrapper.optimizer.state_dict()['state'] == {}
