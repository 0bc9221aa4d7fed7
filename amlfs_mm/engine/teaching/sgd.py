"""A step of torch's SGD as a function, so that it can be differentiated."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor


class SGDOptions(NamedTuple):
    """Those of a parameter in one step, as in ``torch.optim.SGD``."""

    lr: float
    momentum: float
    dampening: float
    weight_decay: float
    nesterov: bool

    @classmethod
    def of_group(cls, group: dict[str, Any]) -> SGDOptions:
        """Those of an optimizer's group, as they stand now."""
        return cls(**{name: group[name] for name in cls._fields})


def sgd_step(
    weight: Tensor, velocity: Tensor | None, gradient: Tensor, options: SGDOptions
) -> tuple[Tensor, Tensor | None]:
    """The weight and the velocity (momentum buffer) after a step of ``torch.optim.SGD``.

    Args:
        weight: Of any shape.
        velocity: Of the same shape; None before the first step, and without momentum.
        gradient: Of the loss with respect to the weight.
        options: Of this step.
    """
    lr, momentum, dampening, weight_decay, nesterov = options
    direction = gradient + weight_decay * weight
    if momentum:
        if velocity is None:
            velocity = direction  # torch does not dampen the first gradient
        else:
            velocity = momentum * velocity + (1 - dampening) * direction
        direction = direction + momentum * velocity if nesterov else velocity
    return weight - lr * direction, velocity
