"""Each private name of mmengine's Runner, loops and wrappers does what we use it for."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch
from helpers.runs import build
from mmengine.hooks import CheckpointHook
from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop, Runner

import amlfs_mm
from amlfs_mm.engine import runner_access as access

PRIVATE = {
    '_accumulative_counts',
    '_decide_current_val_interval',
    '_epoch',
    '_hooks',
    '_inner_count',
    '_iter',
    '_load_from',
    '_resume',
    '_train_dataloader',
    '_train_loop',
    '_work_dir',
}


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return build(tmp_path)


def test_epoch_and_iteration_are_what_hooks_see(runner: Runner):
    access.set_epoch(runner.train_loop, 2)
    access.set_iteration(runner.train_loop, 7)
    assert (runner.epoch, runner.iter) == (2, 7)


def test_another_loop_takes_the_place_of_the_first(runner: Runner):
    stock = runner.train_loop
    other = EpochBasedTrainLoop(runner, stock.dataloader, max_epochs=5)
    access.replace_train_loop(runner, other)
    assert runner.train_loop is other
    assert runner.max_epochs == 5


def test_resume_and_load_from(tmp_path: Path):
    fresh = build(tmp_path / 'fresh')
    assert not access.is_resuming(fresh)
    assert access.checkpoint_to_load(fresh) is None
    access.set_checkpoint_to_load(fresh, 'other.pth')
    assert access.checkpoint_to_load(fresh) == 'other.pth'
    resumed = build(tmp_path / 'resumed', resume=True, load_from='some.pth')
    assert access.is_resuming(resumed)
    assert access.checkpoint_to_load(resumed) == 'some.pth'


def test_the_checkpoint_set_is_the_one_that_is_read(runner: Runner):
    access.set_checkpoint_to_load(runner, 'nowhere.pth')
    with pytest.raises(FileNotFoundError, match=r'nowhere\.pth'):
        runner.load_or_resume()


def test_work_dir(runner: Runner, tmp_path: Path):
    assert access.work_dir_of(runner) == runner.work_dir == str(tmp_path)
    access.set_work_dir(runner, str(tmp_path / 'candidate_1'))
    assert runner.work_dir == str(tmp_path / 'candidate_1')


def test_hooks_that_are_kept_and_hooks_that_rest(runner: Runner):
    all_hooks = list(runner.hooks)
    with access.only_hooks(runner, all_hooks[:1]):
        assert runner.hooks == all_hooks[:1]
    assert runner.hooks == all_hooks
    with pytest.raises(KeyError), access.only_hooks(runner, []):
        raise KeyError
    assert runner.hooks == all_hooks
    access.keep_hooks(runner, [h for h in all_hooks if not isinstance(h, CheckpointHook)])
    assert len(runner.hooks) == len(all_hooks) - 1


def test_gradient_accumulation_counts_iterations():
    weight = torch.nn.Parameter(torch.ones(()))
    wrapper = OptimWrapper(torch.optim.SGD([weight], lr=1.0), accumulative_counts=2)
    assert access.accumulates_gradients(wrapper)
    assert not access.accumulates_gradients(OptimWrapper(torch.optim.SGD([weight], lr=1.0)))
    wrapper.update_params(weight.square())
    assert access.iterations_of_wrapper(wrapper) == 1
    assert weight == 1  # the update comes with the second iteration
    access.set_iterations_of_wrapper(wrapper, 0)
    wrapper.update_params(weight.square())
    assert weight == 1
    wrapper.update_params(weight.square())
    assert weight != 1


@pytest.mark.parametrize(('epoch', 'validates'), [(0, False), (1, False), (2, True), (3, True)])
def test_validation_by_interval_and_at_the_end(runner: Runner, epoch: int, validates: bool):
    loop = EpochBasedTrainLoop(runner, runner.train_loop.dataloader, 3, 1, val_interval=2)
    access.set_epoch(loop, epoch)
    calls = []
    runner.val_loop.run = lambda: calls.append(epoch)
    access.validate_if_due(loop)
    assert bool(calls) == validates


def test_private_names_of_the_runner_stand_in_one_file():
    folder = Path(amlfs_mm.__file__).parent
    for source in sorted(folder.glob('**/*.py')):
        names = {
            n.attr for n in ast.walk(ast.parse(source.read_text())) if isinstance(n, ast.Attribute)
        }
        found = names & PRIVATE
        if source.name == 'runner_access.py':
            assert found == PRIVATE
        else:
            assert not found, source
