"""Logging the losses without waiting for the device at every iteration."""

from __future__ import annotations

from mmengine.hooks import RuntimeInfoHook
from mmengine.runner import Runner
from torch import Tensor

from amlfs_mm.registry import HOOKS

from ..history.deferred_history import DeferredHistoryBuffer


@HOOKS.register_module()
class DeferredRuntimeInfoHook(RuntimeInfoHook):
    """mmengine's RuntimeInfoHook, which reads the losses from the device only when they are logged.

    mmengine's own calls ``item()`` on every number that a training step returns, so that a GPU has
    nothing to do until the host has launched the next iteration. Here the numbers stay on the
    device until somebody reads them from the message hub, such as LoggerHook at its interval.
    ``LossSearchRunner`` uses it unless ``default_hooks.runtime_info`` says otherwise.
    """

    def before_train_epoch(self, runner: Runner) -> None:
        """Let all numbers of training, such as those of the timer, be added without a copy."""
        super().before_train_epoch(runner)
        for key in [key for key in runner.message_hub.log_scalars if key.startswith('train/')]:
            _deferred_history(runner, key)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs: dict | None = None
    ) -> None:
        """Note the numbers that a training step returned."""
        for key, value in (outputs or {}).items():
            if isinstance(value, Tensor) and value.numel() == 1:
                _deferred_history(runner, f'train/{key}').update_later(value)
            else:
                runner.message_hub.update_scalar(f'train/{key}', value)


def _deferred_history(runner: Runner, key: str) -> DeferredHistoryBuffer:
    """The message hub's history of a key, in place of mmengine's own."""
    hub = runner.message_hub
    history = hub.log_scalars.get(key)
    if not isinstance(history, DeferredHistoryBuffer):
        if history is None:
            hub.update_scalar(key, 0.0)  # only so does a key become one that checkpoints hold
        history = DeferredHistoryBuffer(*(history.data if history is not None else ()))
        hub.log_scalars[key] = history
    return history
