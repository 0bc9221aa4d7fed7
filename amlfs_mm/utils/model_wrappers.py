"""A model inside DistributedDataParallel or another wrapper."""

from __future__ import annotations

from typing import cast

from mmengine.model import is_model_wrapper
from torch import nn


def unwrapped(model: nn.Module) -> nn.Module:
    """The model without DistributedDataParallel or another wrapper of mmengine's."""
    return cast(nn.Module, model.module) if is_model_wrapper(model) else model
