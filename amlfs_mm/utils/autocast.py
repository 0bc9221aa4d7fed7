"""Logits and losses are computed in at least float32, also under autocast."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def without_autocast(like: Tensor) -> AbstractContextManager:
    """A context in which autocast is off for the tensor's type of device.

    The same as ``torch.autocast(like.device.type, enabled=False)``. To enter that context takes
    longer than an operation on a small batch, so it is entered only if autocast is on.
    """
    device = like.device.type
    if not torch.is_autocast_enabled(device):
        return nullcontext()
    return torch.autocast(device, enabled=False)
