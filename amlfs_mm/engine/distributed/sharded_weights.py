"""Class weights that are spread over the replicas of a sub-runner.

DDP, checkpoints, gradient clipping and loss scaling must know them: each replica has other rows of
such a weight. All other weights are equal in all replicas.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol, cast

import torch
import torch.distributed as dist
from mmengine.dist import all_reduce, get_rank, get_world_size
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.distributed.fsdp.sharded_grad_scaler import ShardedGradScaler
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_, clip_grads_with_norm_, get_total_norm


class ShardedLayer(Protocol):
    """A layer whose weight is spread over the replicas, such as ``ShardedLinear``.

    Attributes:
        weight: The rows of this replica.
        num_classes: Rows of the whole weight.
        class_range: Which of them this replica has.
    """

    weight: nn.Parameter
    num_classes: int
    class_range: range

    def class_range_of(self, replica: int) -> range:
        """Which rows a replica has."""


def sharded_layers(module: nn.Module) -> dict[str, ShardedLayer]:
    """The layers, by name, that are spread over several replicas; none if there is one replica."""
    if get_world_size() == 1:
        return {}
    return {
        name: cast(ShardedLayer, layer)
        for name, layer in module.named_modules()
        if hasattr(layer, 'class_range')
    }


def keep_out_of_ddp(model: nn.Module) -> None:
    """Let DDP neither broadcast nor average the shards of a model that it is going to wrap."""
    if names := [f'{name}.weight' for name in sharded_layers(model)]:
        DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(model, names)


def own_rows(whole: Tensor, layer: ShardedLayer) -> Tensor:
    """This replica's rows of a tensor that a checkpoint holds for all classes."""
    return whole[layer.class_range.start : layer.class_range.stop].clone()


# Checkpoints --------------------------------------------------------------------------------------


@contextmanager
def whole_weights(
    modules: list[nn.Module], wrappers: list[OptimWrapper], group: dist.ProcessGroup | None
) -> Iterator[None]:
    """While this lasts, replica 0's sharded layers have all rows, in host memory.

    So have their gradients and what the optimizers keep for them: whatever replica 0 saves now can
    be loaded by any number of replicas. All replicas must take part.

    Args:
        modules: The model, and copies of it.
        wrappers: The optimizers.
        group: A gloo group of the replicas.
    """
    held = []
    for layer in [layer for module in modules for layer in sharded_layers(module).values()]:
        assert group is not None  # a sharded layer has several replicas
        weight = layer.weight
        moments = [
            (state, name, value)
            for state in [wrapper.optimizer.state.get(weight, {}) for wrapper in wrappers]
            for name, value in state.items()
            if isinstance(value, Tensor) and value.shape == weight.shape
        ]
        whole = gather_rows(weight.data, layer, group)
        gradient = None if weight.grad is None else gather_rows(weight.grad, layer, group)
        gathered = [
            (state, name, gather_rows(value, layer, group)) for state, name, value in moments
        ]
        if get_rank() == 0:
            held.append((weight, weight.data, weight.grad, moments))
            _put(weight, whole, gradient, gathered)
    try:
        yield
    finally:
        for values in held:
            _put(*values)


def _put(
    weight: nn.Parameter, data: Tensor | None, gradient: Tensor | None, moments: list[tuple]
) -> None:
    weight.grad = None  # it can only have the shape of the weight
    weight.data = cast(Tensor, data)  # replica 0 has gathered it
    weight.grad = gradient
    for state, name, value in moments:
        state[name] = value


def gather_rows(shard: Tensor, layer: ShardedLayer, group: dist.ProcessGroup) -> Tensor | None:
    """All rows, in replica 0's host memory, of a tensor of which each replica has its rows."""
    ranks = dist.get_process_group_ranks(group)
    if get_rank() > 0:
        dist.send(shard.detach().cpu().contiguous(), ranks[0], group)
        return None
    whole = torch.empty(layer.num_classes, *shard.shape[1:], dtype=shard.dtype)
    whole[: len(shard)] = shard.detach()
    for replica in range(1, len(ranks)):
        rows = layer.class_range_of(replica)
        dist.recv(whole[rows.start : rows.stop], ranks[replica], group)
    return whole


def keep_own_moments(model: nn.Module, wrappers: list[OptimWrapper]) -> None:
    """Cut what the optimizers loaded for whole weights down to this replica's rows."""
    for layer in sharded_layers(model).values():
        whole = (layer.num_classes, *layer.weight.shape[1:])
        for state in [wrapper.optimizer.state.get(layer.weight, {}) for wrapper in wrappers]:
            for name, value in state.items():
                if isinstance(value, Tensor) and tuple(value.shape) == whole:
                    state[name] = own_rows(value, layer)


# Optimizers ---------------------------------------------------------------------------------------


def agree_on_steps(wrappers: list[OptimWrapper], model: nn.Module) -> None:
    """Let all replicas clip by one norm, and all skip an update if one of them has an overflow.

    Replicas with equal gradients do so anyway. The gradients of sharded weights differ.
    """
    shards = [layer.weight for layer in sharded_layers(model).values()]
    for wrapper in wrappers if shards else []:
        if getattr(wrapper, 'clip_func', None) is clip_grad_norm_:
            wrapper.clip_func = partial(clip_grad_norm, shards=shards)
        scaler = getattr(wrapper, 'loss_scaler', None)
        if scaler is not None and not isinstance(scaler, ShardedGradScaler):
            wrapper.loss_scaler = ShardedGradScaler(
                scaler._device,
                init_scale=scaler.get_scale(),
                growth_factor=scaler.get_growth_factor(),
                backoff_factor=scaler.get_backoff_factor(),
                growth_interval=scaler.get_growth_interval(),
                enabled=scaler.is_enabled(),
                process_group=dist.group.WORLD,
            )


def clip_grad_norm(
    parameters: list[nn.Parameter],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
    *,
    shards: list[nn.Parameter],
) -> Tensor:
    """``torch.nn.utils.clip_grad_norm_`` by the norm of all rows of the sharded gradients.

    Args:
        parameters: All of the optimizer.
        max_norm: As torch's, like the following ones.
        norm_type: p of the p-norm.
        error_if_nonfinite: Raise a RuntimeError if the norm is not finite.
        foreach: Use torch's faster implementation.
        shards: The parameters of which each replica has other rows.

    Returns:
        The norm, the same in all replicas.
    """
    sharded = {id(parameter) for parameter in shards}
    own = [p.grad for p in parameters if id(p) in sharded and p.grad is not None]
    common = [p.grad for p in parameters if id(p) not in sharded and p.grad is not None]
    norm = get_total_norm(own, norm_type, False, foreach).to(parameters[0].device)
    if norm_type == float('inf'):
        all_reduce(norm, op='max')
    else:
        norm = norm**norm_type
        all_reduce(norm)
        norm = norm ** (1 / norm_type)
    norms = torch.stack([norm, get_total_norm(common, norm_type, False, foreach).to(norm)])
    total = torch.linalg.vector_norm(norms, norm_type)
    if error_if_nonfinite and not torch.isfinite(total):
        raise RuntimeError(f'the norm of the gradients is {total.item()}')
    clip_grads_with_norm_(parameters, max_norm, total, foreach)
    return total
