"""Everything that an epoch of training changes, as a few flat tensors."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.dist import all_reduce_params
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor, nn

Key = tuple[str, torch.dtype]  # device type, dtype: one flat tensor each


@dataclass
class Slot:
    """Where a tensor lies in the flat tensor of its key."""

    key: Key
    start: int
    shape: torch.Size


class TrainingState:
    """A copy of a runner's training state.

    Parameters and buffers of the model and of EMA models, the optimizer wrapper (with its gradient
    scaler, and half-accumulated gradients), parameter schedulers, iteration counters.

    Attributes:
        flat: One flat tensor a (device type, dtype): what goes over the wire.
        tree: The nested state with a :class:`Slot` in place of every tensor.
    """

    def __init__(self, tree: Any, flat: dict[Key, Tensor]) -> None:
        self.tree = tree
        self.flat = flat

    @classmethod
    def capture(cls, runner: Runner) -> TrainingState:
        """Copy the state of this moment."""
        live = _live_state(runner)
        sizes: dict[Key, int] = {}
        tensors: list[tuple[Slot, Tensor]] = []
        devices = {}

        def reserve(value: Any) -> Any:
            if not isinstance(value, Tensor):
                return value
            key = (value.device.type, value.dtype)
            slot = Slot(key, sizes.get(key, 0), value.shape)
            sizes[key] = slot.start + value.numel()
            devices[key] = value.device
            tensors.append((slot, value.detach()))
            return slot

        tree = _map(live, reserve)
        flat = {
            key: torch.empty(size, dtype=key[1], device=devices[key]) for key, size in sizes.items()
        }
        state = cls(tree, flat)
        for slot, tensor in tensors:
            state._view(slot).copy_(tensor)
        return state

    @torch.no_grad()
    def restore(self, runner: Runner) -> None:
        """Put the runner back into this state; this copy stays independent of what follows."""
        saved = _map(self.tree, lambda v: self._view(v) if isinstance(v, Slot) else v)
        for module, tensors in zip(_modules(runner), saved.pop('modules'), strict=True):
            for name, tensor in _tensors(module).items():
                tensor.copy_(tensors[name])

        # An optimizer keeps the tensors that it is given, so it gets copies.
        own = _map(saved, lambda v: v.clone() if isinstance(v, Tensor) else v)
        runner.optim_wrapper.load_state_dict(own['optim_wrapper'])
        for wrapper, counted in zip(_wrappers(runner), own['wrappers'], strict=True):
            wrapper._inner_count = counted['inner_count']
            parameters = [p for group in wrapper.optimizer.param_groups for p in group['params']]
            for parameter, gradient in zip(parameters, counted['gradients'], strict=True):
                parameter.grad = gradient
        for scheduler, state in zip(_schedulers(runner), own['schedulers'], strict=True):
            scheduler.load_state_dict(state)
        runner.train_loop._iter = own['iter']

    def _view(self, slot: Slot) -> Tensor:
        return self.flat[slot.key][slot.start : slot.start + slot.shape.numel()].view(slot.shape)


def _live_state(runner: Runner) -> dict:
    """The state as nested dicts and lists that refer to the live tensors."""
    return dict(
        modules=[_tensors(module) for module in _modules(runner)],
        optim_wrapper=runner.optim_wrapper.state_dict(),
        wrappers=[
            dict(inner_count=wrapper._inner_count, gradients=_gradients(wrapper))
            for wrapper in _wrappers(runner)
        ],
        schedulers=[scheduler.state_dict() for scheduler in _schedulers(runner)],
        iter=runner.iter,
    )


def _modules(runner: Runner) -> list[nn.Module]:
    """The model, then the copies of it that hooks keep (EMAHook)."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return [model] + [hook.ema_model for hook in runner.hooks if hasattr(hook, 'ema_model')]


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    # Not state_dict(): buffers that are not saved to checkpoints change during training too.
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _wrappers(runner: Runner) -> list[OptimWrapper]:
    wrapper = runner.optim_wrapper
    return list(wrapper.values()) if isinstance(wrapper, OptimWrapperDict) else [wrapper]


def _gradients(wrapper: OptimWrapper) -> list[Tensor | None]:
    """Gradients still to be applied: only accumulation leaves any at the end of an epoch."""
    parameters = [p for group in wrapper.optimizer.param_groups for p in group['params']]
    accumulating = wrapper._accumulative_counts > 1
    return [parameter.grad if accumulating else None for parameter in parameters]


def _schedulers(runner: Runner) -> list:
    schedulers = runner.param_schedulers or []
    if isinstance(schedulers, dict):
        return [scheduler for group in schedulers.values() for scheduler in group]
    return schedulers


def _map(tree: Any, function: Any) -> Any:
    """The same nesting of dicts, lists and tuples, with function applied to every leaf."""
    if isinstance(tree, dict):
        mapped = copy.copy(tree)  # a Counter stays one
        for key, value in tree.items():
            mapped[key] = _map(value, function)
        return mapped
    if isinstance(tree, (list, tuple)):
        return type(tree)(_map(value, function) for value in tree)
    return function(tree)


def average_buffers(runner: Runner) -> None:
    """Give all replicas of this sub-runner the mean of their buffers (batch statistics)."""
    for module in _modules(runner):
        all_reduce_params(module.buffers(), op='mean')


def clear_optimizers(runner: Runner) -> None:
    """Forget momentum and moments, as if the optimizers had been made anew."""
    for wrapper in _wrappers(runner):
        wrapper.optimizer.state.clear()
