"""The training state of a runner: everything that an epoch of training changes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.dist import all_reduce_params
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.distributed import ProcessGroup

from amlfs_mm.utils.devices import pins_memory
from amlfs_mm.utils.model_wrappers import unwrapped

from ..distributed.sharded_weights import sharded_layers, whole_weights
from ..runner_access import iterations_of_wrapper, set_iteration, set_iterations_of_wrapper
from .optimizers import (
    drop_gradients,
    parameters_of,
    pending_gradients,
    schedulers_of,
    set_gradients,
    wrappers_of,
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
        for wrapper, counted in zip(wrappers_of(runner), saved['wrappers'], strict=True):
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
        modules=[tensors_of(module) for module in modules_of(runner)],
        optim_wrapper=runner.optim_wrapper.state_dict(),
        wrappers=[
            dict(inner_count=iterations_of_wrapper(wrapper), gradients=pending_gradients(wrapper))
            for wrapper in wrappers_of(runner)
        ],
        schedulers=[scheduler.state_dict() for scheduler in schedulers_of(runner)],
        iter=runner.iter,
    )


def modules_of(runner: Runner) -> list[nn.Module]:
    """The model, then the copies of it that hooks keep (EMAHook)."""
    return [unwrapped(runner.model)] + [
        hook.ema_model for hook in runner.hooks if hasattr(hook, 'ema_model')
    ]


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name."""
    # Not state_dict(): buffers that are not saved to checkpoints change during training too.
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _copy_modules(runner: Runner, saved: list[dict[str, Tensor]]) -> None:
    for module, tensors in zip(modules_of(runner), saved, strict=True):
        for name, tensor in tensors_of(module).items():
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


def whole_checkpoint(runner: Runner, group: ProcessGroup | None) -> AbstractContextManager:
    """While this lasts, replica 0 holds all rows of sharded weights, as a checkpoint needs them."""
    return whole_weights(modules_of(runner), wrappers_of(runner), group)


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
    for module in modules_of(runner):
        all_reduce_params(module.buffers(), op='mean')
    shards = {id(layer.weight) for layer in sharded_layers(runner.model).values()}
    for wrapper in wrappers_of(runner):
        gradients = [
            gradient
            for parameter, gradient in zip(
                parameters_of(wrapper), pending_gradients(wrapper), strict=True
            )
            if gradient is not None and id(parameter) not in shards
        ]
        all_reduce_params(gradients, op='mean')
