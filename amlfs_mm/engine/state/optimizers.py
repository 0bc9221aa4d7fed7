"""What a training state has of the optimizers: gradients that wait, moments, schedules."""

from __future__ import annotations

import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor, nn

from ..distributed.sharded_weights import own_rows, sharded_layers
from ..runner_access import accumulates_gradients, set_iterations_of_wrapper


def wrappers_of(runner: Runner) -> list[OptimWrapper]:
    """The optimizer wrappers of a runner."""
    return each_wrapper(runner.optim_wrapper)


def each_wrapper(wrapper: OptimWrapper | OptimWrapperDict) -> list[OptimWrapper]:
    """A model's only optimizer wrapper, or all of several."""
    return list(wrapper.values()) if isinstance(wrapper, OptimWrapperDict) else [wrapper]


def parameters_of(wrapper: OptimWrapper) -> list[nn.Parameter]:
    """The parameters that an optimizer updates."""
    return [p for group in wrapper.optimizer.param_groups for p in group['params']]


def pending_gradients(wrapper: OptimWrapper) -> list[Tensor | None]:
    """Gradients that wait for an update; there are some only with gradient accumulation."""
    accumulating = accumulates_gradients(wrapper)
    return [parameter.grad if accumulating else None for parameter in parameters_of(wrapper)]


@torch.no_grad()
def set_gradients(wrapper: OptimWrapper, gradients: list[Tensor | None]) -> None:
    """Give the parameters copies of these gradients."""
    for parameter, gradient in zip(parameters_of(wrapper), gradients, strict=True):
        if gradient is None or parameter.grad is None:
            parameter.grad = None if gradient is None else gradient.to(parameter, copy=True)
        else:
            parameter.grad.copy_(gradient)


def all_pending_gradients(runner: Runner) -> list[list[Tensor | None]]:
    """Those of each optimizer; empty if there are none."""
    gradients = [pending_gradients(wrapper) for wrapper in wrappers_of(runner)]
    return gradients if any(g is not None for part in gradients for g in part) else []


def set_all_gradients(runner: Runner, gradients: list[list[Tensor | None]]) -> None:
    """Give each optimizer's parameters the gradients that :func:`all_pending_gradients` listed.

    Those of sharded weights are of all rows, as a checkpoint holds them.
    """
    layers = {id(layer.weight): layer for layer in sharded_layers(runner.model).values()}
    for wrapper, part in zip(wrappers_of(runner), gradients, strict=False):
        own = [
            own_rows(gradient, layers[id(parameter)])
            if gradient is not None and id(parameter) in layers
            else gradient
            for parameter, gradient in zip(parameters_of(wrapper), part, strict=True)
        ]
        set_gradients(wrapper, own)


def drop_gradients(runner: Runner) -> None:
    """Forget the gradients that wait for an update; the next ones are due as ever by iteration."""
    for wrapper in wrappers_of(runner):
        set_iterations_of_wrapper(wrapper, runner.iter)
        set_gradients(wrapper, [None] * len(parameters_of(wrapper)))


def clear_optimizers(runner: Runner) -> None:
    """Forget momentum and moments, as if the optimizers were new."""
    for wrapper in wrappers_of(runner):
        wrapper.optimizer.state.clear()


def schedulers_of(runner: Runner) -> list:
    """The parameter schedulers, of all optimizers."""
    schedulers = runner.param_schedulers or []
    if isinstance(schedulers, dict):
        return [scheduler for group in schedulers.values() for scheduler in group]
    return schedulers
