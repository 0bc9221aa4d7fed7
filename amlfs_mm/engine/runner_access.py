"""The private names of mmengine's Runner, loops and optimizer wrappers, in one file.

mmengine has no public way to do these things. ``tests/test_engine/test_runner_access.py`` holds
each name against the installed version. Four other files touch other private names:
``datasets/source_positions.py`` (data sets and their wrappers), ``utils/command_line.py`` (where
``package::config`` lies), ``compat.py`` (the same, and copies of data sets), and
``engine/history/deferred_history.py`` (the arrays of a HistoryBuffer).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, Runner
from torch.utils.data import DataLoader


def set_work_dir(runner: Runner, directory: str) -> None:
    """Let the runner write its logs to another directory; before it has set up anything."""
    runner._work_dir = directory


def work_dir_of(runner: Runner) -> str:
    """The runner's directory, as the config gives it, before the runner has set up anything."""
    return runner._work_dir


def replace_train_loop(runner: Runner, loop: BaseLoop) -> None:
    """Let the runner train with another loop than the one it has built."""
    runner._train_loop = loop


def is_in_training(runner: Runner) -> bool:
    """Whether the runner trains. ``before_run`` is called for a test and a validation too."""
    return isinstance(runner._train_loop, BaseLoop)


def is_training_loader(runner: Runner, loader: DataLoader | dict) -> bool:
    """Whether a data loader, or its config, is the one that the runner trains with."""
    return loader is runner._train_dataloader


def set_epoch(loop: EpochBasedTrainLoop, epoch: int) -> None:
    """Set the epoch, from 0, that the loop is in."""
    loop._epoch = epoch


def set_iteration(loop: EpochBasedTrainLoop, iteration: int) -> None:
    """Set the number of iterations that the loop has done."""
    loop._iter = iteration


def is_resuming(runner: Runner) -> bool:
    """Whether the runner goes on with an earlier run, rather than start from some weights."""
    return runner._resume


def checkpoint_to_load(runner: Runner) -> str | None:
    """The checkpoint that the config names to start or resume from."""
    return runner._load_from


def set_checkpoint_to_load(runner: Runner, path: str) -> None:
    """Start or resume from another checkpoint."""
    runner._load_from = path


def keep_hooks(runner: Runner, hooks: Sequence[Hook]) -> None:
    """Take all other hooks from the runner."""
    runner._hooks = list(hooks)


@contextmanager
def only_hooks(runner: Runner, hooks: Sequence[Hook]) -> Iterator[None]:
    """While this lasts, the runner calls no other hooks than these."""
    all_hooks = runner._hooks
    runner._hooks = list(hooks)
    try:
        yield
    finally:
        runner._hooks = all_hooks


def accumulates_gradients(wrapper: OptimWrapper) -> bool:
    """Whether an update takes the gradients of several iterations."""
    return wrapper._accumulative_counts > 1


def iterations_of_wrapper(wrapper: OptimWrapper) -> int:
    """The iterations that the wrapper has counted for gradient accumulation."""
    return wrapper._inner_count


def set_iterations_of_wrapper(wrapper: OptimWrapper, count: int) -> None:
    """Set what :func:`iterations_of_wrapper` returns."""
    wrapper._inner_count = count


def validate_if_due(loop: EpochBasedTrainLoop) -> None:
    """Validate after an epoch, as often as the config says: what MMEngine's loop does there."""
    loop._decide_current_val_interval()
    runner, epoch = loop.runner, loop.epoch
    due = epoch % loop.val_interval == 0 or epoch == loop.max_epochs
    if runner.val_loop is not None and epoch >= loop.val_begin and due:
        runner.val_loop.run()


def job_directory(runner: Runner) -> str:
    """The work dir of the whole job. A sub-runner of a LossSearchRunner has its own in it."""
    return getattr(runner, 'search_dir', runner.work_dir)
