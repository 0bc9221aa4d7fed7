"""What mmpretrain's ``LinearClsHead`` gets, checked as the heads of this package check it."""

from __future__ import annotations

from typing import Any

from mmpretrain.models import LinearClsHead
from torch import Tensor, nn

from ..layers.inputs import feature_vectors


def check_features_of_linear_heads(model: nn.Module) -> None:
    """mmpretrain's ``LinearClsHead`` gets a feature vector (N, in_channels) an image.

    A tensor is taken like a tuple with one tensor; mmpretrain would take its last row.

    Args:
        model: Its heads of that class, and of no other, are checked from now on.

    Raises:
        ValueError: A head gets something else; the message names it and the cure.

    When:
        A batch reaches the head, in the runs of a ``LossSearchRunner``.
    """
    for module in model.modules():
        if type(module) is LinearClsHead:
            module.register_forward_pre_hook(_only_vectors)


def _only_vectors(head: nn.Module, inputs: tuple[Any, ...]) -> tuple[tuple[Tensor], ...]:
    return ((feature_vectors(inputs[0], 'LinearClsHead', head.in_channels),),)
