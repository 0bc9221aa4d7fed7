"""What must hold before a teacher trains a student (L2T-DLF), besides what every run needs."""

from __future__ import annotations

from typing import Any

from mmengine.dist import get_world_size
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch.optim import SGD

from ..distributed.population import population_of
from ..runner_access import accumulates_gradients
from .batches import check_data_order
from .checkpoint_hooks import check_checkpoints
from .run import check_run
from .search import check_hard_labels, check_held_out


def check_teaching(runner: Runner) -> None:
    """A teacher can give the losses of this run.

    Raises:
        ValueError: Something does not hold; the message names it and the cure.

    When:
        ``L2TDLFLoop`` starts.
    """
    check_one_process(runner)
    check_dev_data(runner)
    check_student(runner)
    check_hard_labels(runner.model)
    check_run(runner)
    check_data_order(runner.train_dataloader)
    check_held_out(runner.train_dataloader.dataset, runner.val_dataloader.dataset)
    check_checkpoints(runner, 1)


def check_one_process(runner: Runner) -> None:
    """One process trains the student.

    Raises:
        ValueError: There are several processes.

    When:
        ``L2TDLFLoop`` starts.
    """
    processes = get_world_size() * population_of(runner).num_sub_runners
    if processes > 1 or is_model_wrapper(runner.model):
        raise ValueError(
            f'L2TDLFLoop differentiates through the steps of one process, but there are '
            f'{processes}: start it with tools/train.py, without a launcher'
        )


def check_dev_data(runner: Runner) -> None:
    """There are held-out data (D_v), from which the teacher learns.

    Raises:
        ValueError: The config has no validation data.

    When:
        ``L2TDLFLoop`` starts.
    """
    if runner.val_loop is None:
        raise ValueError(
            'a teacher learns from held-out data (D_v): the config needs val_dataloader, val_cfg '
            'and val_evaluator'
        )


def check_student(runner: Runner) -> None:
    """The student's steps can be differentiated: plain SGD on a classifier of mmpretrain.

    Raises:
        ValueError: The student has another optimizer, or clips, accumulates or scales its
            gradients, or its model gives no features.

    When:
        ``L2TDLFLoop`` starts.
    """
    wrapper: Any = runner.optim_wrapper
    if type(wrapper) is not OptimWrapper or type(wrapper.optimizer) is not SGD:
        optimizer = type(getattr(wrapper, 'optimizer', wrapper)).__name__
        raise ValueError(
            'L2TDLFLoop differentiates through steps of SGD in full precision, but the config has '
            f"{type(wrapper).__name__} with {optimizer}: set optim_wrapper=dict(type='OptimWrapper'"
            ", optimizer=dict(type='SGD', ...)), and leave --amp out"
        )
    if wrapper.clip_grad_kwargs is not None:
        raise ValueError(
            'L2TDLFLoop does not differentiate through clipped gradients: remove '
            'optim_wrapper.clip_grad'
        )
    if accumulates_gradients(wrapper):
        raise ValueError(
            'L2TDLFLoop differentiates through steps of one batch: remove '
            'optim_wrapper.accumulative_counts'
        )
    if any(group['maximize'] for group in wrapper.optimizer.param_groups):
        raise ValueError('L2TDLFLoop minimises: remove maximize=True from the optimizer')
    if not hasattr(runner.model, 'extract_feat'):
        raise ValueError(
            f'L2TDLFLoop needs the features of the student, but {type(runner.model).__name__} has '
            'no extract_feat: use a classifier of mmpretrain, such as ImageClassifier'
        )
