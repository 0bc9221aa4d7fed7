"""The training state of a runner: everything that an epoch of training changes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.dist import all_reduce_params
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.distributed import ProcessGroup

from amlfs_mm.utils.devices import free_memory, pins_memory

from ..distributed.sharded_weights import own_rows, sharded_layers, whole_weights
from ..runner_access import (
    accumulates_gradients,
    iterations_of_wrapper,
    set_iteration,
    set_iterations_of_wrapper,
)

Key = tuple[str, torch.dtype]  # device type of the live tensors, dtype: one flat tensor each


@dataclass
class Slot:
    """Where a tensor lies in the flat tensor of its key."""

    key: Key
    start: int
    shape: torch.Size


class TrainingState:
    """A copy of a runner's training state.

    The state is: parameters and buffers of the model and of EMA models; the optimizer wrapper with
    its gradient scaler and half-accumulated gradients; parameter schedulers; iteration counters.

    Attributes:
        flat: One flat tensor for each (device type, dtype): what is sent between processes.
        tree: The nested state with a :class:`Slot` in place of every tensor.
        on_host: Whether the flat tensors lie in pinned host memory, wherever the model is.
    """

    def __init__(self, tree: Any, flat: dict[Key, Tensor], on_host: bool = False) -> None:
        self.tree = tree
        self.flat = flat
        self.on_host = on_host

    @classmethod
    def capture(cls, runner: Runner, on_host: bool = False) -> TrainingState:
        """Copy the present state, on the device or into host memory."""
        return cls.pack(_live_state(runner), on_host)

    @classmethod
    def pack(cls, nested: Any, on_host: bool = False) -> TrainingState:
        """Copy nested dicts and lists of tensors and plain values."""
        sizes: dict[Key, int] = {}
        tensors: list[tuple[Slot, Tensor]] = []

        def reserve(value: Any) -> Any:
            if not isinstance(value, Tensor):
                return value
            key = (value.device.type, value.dtype)
            slot = Slot(key, sizes.get(key, 0), value.shape)
            sizes[key] = slot.start + value.numel()
            tensors.append((slot, value.detach()))
            return slot

        state = cls.allocate((_map(nested, reserve), sizes, on_host))
        for slot, tensor in tensors:
            state._view(slot).copy_(tensor)
        return state

    @classmethod
    def allocate(cls, description: tuple, into: TrainingState | None = None) -> TrainingState:
        """A state with the structure of another one. Its tensors are not yet filled.

        Args:
            description: What :meth:`describe` of the other state returned.
            into: A state that is not needed any more. Its memory is used again where it fits, and
                freed where it does not.
        """
        tree, sizes, on_host = description
        flat = {}
        for (device, dtype), size in sizes.items():
            old = None if into is None else into.flat.pop((device, dtype), None)
            same_place = into is not None and into.on_host == on_host
            if old is not None and old.numel() == size and same_place:
                flat[device, dtype] = old
            else:
                del old  # before the new one takes memory
                in_host_memory = on_host or device == 'cpu'
                flat[device, dtype] = torch.empty(
                    size,
                    dtype=dtype,
                    device='cpu' if in_host_memory else torch.device(device),
                    pin_memory=in_host_memory and pins_memory(device),
                )
        return cls(tree, flat, on_host)

    def describe(self) -> tuple:
        """The structure without the tensors' values: what :meth:`allocate` needs."""
        return self.tree, {key: flat.numel() for key, flat in self.flat.items()}, self.on_host

    def unpack(self) -> Any:
        """The nested state, its tensors views of the flat ones."""
        return _map(self.tree, lambda v: self._view(v) if isinstance(v, Slot) else v)

    @property
    def bytes(self) -> int:
        """Memory of the flat tensors."""
        return sum(flat.nbytes for flat in self.flat.values())

    @torch.no_grad()
    def restore(self, runner: Runner) -> None:
        """Put the runner into this state. Later training does not change this copy."""
        saved = self.unpack()
        _copy_modules(runner, saved['modules'])
        _load_optimizers(runner, saved['optim_wrapper'])
        for wrapper, counted in zip(_wrappers(runner), saved['wrappers'], strict=True):
            set_iterations_of_wrapper(wrapper, counted['inner_count'])
            set_gradients(wrapper, counted['gradients'])
        for scheduler, state in zip(schedulers_of(runner), saved['schedulers'], strict=True):
            scheduler.load_state_dict(copy.deepcopy(state))
        set_iteration(runner.train_loop, saved['iter'])

    @torch.no_grad()
    def restore_learned(self, runner: Runner) -> None:
        """Put the runner into this state, but for its time: what training has learnt.

        Learning rates, momentum, schedules and iteration counters stay as they are. Gradients that
        wait for an update are dropped: the update belongs to another time.
        """
        saved = self.unpack()
        _copy_modules(runner, saved['modules'])
        present = runner.optim_wrapper.state_dict()
        _load_optimizers(runner, _at_present_time(saved['optim_wrapper'], present))
        drop_gradients(runner)

    def _view(self, slot: Slot) -> Tensor:
        return self.flat[slot.key][slot.start : slot.start + slot.shape.numel()].view(slot.shape)


def _live_state(runner: Runner) -> dict:
    """The state as nested dicts and lists that refer to the live tensors."""
    return dict(
        modules=[_tensors(module) for module in _modules(runner)],
        optim_wrapper=runner.optim_wrapper.state_dict(),
        wrappers=[
            dict(inner_count=iterations_of_wrapper(wrapper), gradients=pending_gradients(wrapper))
            for wrapper in _wrappers(runner)
        ],
        schedulers=[scheduler.state_dict() for scheduler in schedulers_of(runner)],
        iter=runner.iter,
    )


def _modules(runner: Runner) -> list[nn.Module]:
    """The model, then the copies of it that hooks keep (EMAHook)."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return [model] + [hook.ema_model for hook in runner.hooks if hasattr(hook, 'ema_model')]


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    # Not state_dict(): buffers that are not saved to checkpoints change during training too.
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _copy_modules(runner: Runner, saved: list[dict[str, Tensor]]) -> None:
    for module, tensors in zip(_modules(runner), saved, strict=True):
        for name, tensor in _tensors(module).items():
            tensor.copy_(tensors[name])


def _load_optimizers(runner: Runner, saved: dict) -> None:
    # An optimizer keeps the tensors that it is given. So it gets its own ones, filled anew, or
    # copies.
    own = _refill(_live_state(runner)['optim_wrapper'], saved)
    runner.optim_wrapper.load_state_dict(own)


def _at_present_time(saved: dict, present: dict) -> dict:
    """A saved state of an optimizer wrapper, with what the schedules have set at present."""
    if 'param_groups' not in present:  # several optimizers by name
        return {name: _at_present_time(saved[name], present[name]) for name in present}
    scheduled = ('param_groups', 'base_param_settings')
    return {**saved, **{key: present[key] for key in scheduled if key in present}}


def _wrappers(runner: Runner) -> list[OptimWrapper]:
    return each_wrapper(runner.optim_wrapper)


def each_wrapper(wrapper: OptimWrapper | OptimWrapperDict) -> list[OptimWrapper]:
    """A model's only optimizer wrapper, or all of several."""
    return list(wrapper.values()) if isinstance(wrapper, OptimWrapperDict) else [wrapper]


def _parameters(wrapper: OptimWrapper) -> list[nn.Parameter]:
    return [p for group in wrapper.optimizer.param_groups for p in group['params']]


def pending_gradients(wrapper: OptimWrapper) -> list[Tensor | None]:
    """Gradients that wait for an update; there are some only with gradient accumulation."""
    accumulating = accumulates_gradients(wrapper)
    return [parameter.grad if accumulating else None for parameter in _parameters(wrapper)]


@torch.no_grad()
def set_gradients(wrapper: OptimWrapper, gradients: list[Tensor | None]) -> None:
    """Give the parameters copies of these gradients."""
    for parameter, gradient in zip(_parameters(wrapper), gradients, strict=True):
        if gradient is None or parameter.grad is None:
            parameter.grad = None if gradient is None else gradient.to(parameter, copy=True)
        else:
            parameter.grad.copy_(gradient)


def all_pending_gradients(runner: Runner) -> list[list[Tensor | None]]:
    """Those of each optimizer; empty if there are none."""
    gradients = [pending_gradients(wrapper) for wrapper in _wrappers(runner)]
    return gradients if any(g is not None for part in gradients for g in part) else []


def set_all_gradients(runner: Runner, gradients: list[list[Tensor | None]]) -> None:
    """Give each optimizer's parameters the gradients that :func:`all_pending_gradients` listed.

    Those of sharded weights are of all rows, as a checkpoint holds them.
    """
    layers = {id(layer.weight): layer for layer in sharded_layers(runner.model).values()}
    for wrapper, part in zip(_wrappers(runner), gradients, strict=False):
        own = [
            own_rows(gradient, layers[id(parameter)])
            if gradient is not None and id(parameter) in layers
            else gradient
            for parameter, gradient in zip(_parameters(wrapper), part, strict=True)
        ]
        set_gradients(wrapper, own)


def whole_checkpoint(runner: Runner, group: ProcessGroup | None) -> AbstractContextManager:
    """While this lasts, replica 0 holds all rows of sharded weights, as a checkpoint needs them."""
    return whole_weights(_modules(runner), _wrappers(runner), group)


def schedulers_of(runner: Runner) -> list:
    """The parameter schedulers, of all optimizers."""
    schedulers = runner.param_schedulers or []
    if isinstance(schedulers, dict):
        return [scheduler for group in schedulers.values() for scheduler in group]
    return schedulers


def _map(tree: Any, function: Callable[[Any], Any]) -> Any:
    """The same nested dicts, lists and tuples, with the function applied to every leaf."""
    if isinstance(tree, dict):
        mapped = copy.copy(tree)  # a Counter stays one
        for key, value in tree.items():
            mapped[key] = _map(value, function)
        return mapped
    if isinstance(tree, (list, tuple)):
        return type(tree)(_map(value, function) for value in tree)
    return function(tree)


def _refill(live: Any, saved: Any) -> Any:
    """The saved state, in the live tensors wherever shape and dtype are the same."""
    if isinstance(saved, dict):
        live = live if isinstance(live, dict) else {}
        return {key: _refill(live.get(key), value) for key, value in saved.items()}
    if isinstance(saved, (list, tuple)):
        same = isinstance(live, (list, tuple)) and len(live) == len(saved)
        old = live if same else [None] * len(saved)
        return type(saved)(_refill(a, b) for a, b in zip(old, saved, strict=True))
    if not isinstance(saved, Tensor):
        return saved
    if isinstance(live, Tensor) and (live.shape, live.dtype) == (saved.shape, saved.dtype):
        return live.copy_(saved)
    return saved.clone()


def synchronise_replicas(runner: Runner) -> None:
    """Give all replicas of this sub-runner the mean of what differs between them.

    Batch statistics differ, and so do gradients that wait for an update. Their mean does not change
    that update: it takes the mean over the replicas anyway.
    """
    for module in _modules(runner):
        all_reduce_params(module.buffers(), op='mean')
    shards = {id(layer.weight) for layer in sharded_layers(runner.model).values()}
    for wrapper in _wrappers(runner):
        gradients = [
            gradient
            for parameter, gradient in zip(
                _parameters(wrapper), pending_gradients(wrapper), strict=True
            )
            if gradient is not None and id(parameter) not in shards
        ]
        all_reduce_params(gradients, op='mean')


def drop_gradients(runner: Runner) -> None:
    """Forget the gradients that wait for an update; the next ones are due as ever by iteration."""
    for wrapper in _wrappers(runner):
        set_iterations_of_wrapper(wrapper, runner.iter)
        set_gradients(wrapper, [None] * len(_parameters(wrapper)))


def clear_optimizers(runner: Runner) -> None:
    """Forget momentum and moments, as if the optimizers were new."""
    for wrapper in _wrappers(runner):
        wrapper.optimizer.state.clear()


def estimate_bytes(runner: Runner) -> int:
    """Bytes of one :class:`TrainingState`, with the moments that the optimizers will have."""
    tensors = [tensor for module in _modules(runner) for tensor in _tensors(module).values()]
    total = sum(tensor.nbytes for tensor in tensors)
    for wrapper in _wrappers(runner):
        per_number = _moments(wrapper.optimizer) + accumulates_gradients(wrapper)
        total += per_number * sum(parameter.nbytes for parameter in _parameters(wrapper))
    return total


def _moments(optimizer: torch.optim.Optimizer) -> int:
    """How many numbers an optimizer keeps for each weight, found by a trial on two weights."""
    trial = nn.Parameter(torch.zeros(2))
    trial.grad = torch.zeros(2)
    try:
        same = type(optimizer)([trial], **optimizer.defaults)
        same.step()
    except (TypeError, ValueError, RuntimeError):  # an optimizer that cannot be built like this
        return 2  # Adam's
    return sum(isinstance(v, Tensor) and v.numel() == 2 for v in same.state[trial].values())


def choose_memory(runner: Runner, wanted: str, states: int = 2) -> bool:
    """Whether captured states go to host memory.

    Args:
        runner: The runner whose states are captured.
        states: How many there are at a time.
        wanted: ``'device'`` or ``'host'``. ``'device'`` holds only if the states fit into half of
            the memory that is free before training: activations need memory too.
    """
    if wanted == 'host':
        return True
    free = free_memory(next(runner.model.parameters()).device)
    return free is not None and states * estimate_bytes(runner) > free / 2
