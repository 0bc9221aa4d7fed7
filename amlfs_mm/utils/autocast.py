"""Logits and losses are computed in at least float32, also under autocast."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def without_autocast(like: Tensor) -> AbstractContextManager:
    """A context without autocast on a tensor's kind of device.

    As ``torch.autocast(like.device.type, enabled=False)``, which takes longer than an operation on
    a small batch: where autocast is off there is nothing to enter.
    """
    device = like.device.type
    if not torch.is_autocast_enabled(device):
        return nullcontext()
    return torch.autocast(device, enabled=False)
