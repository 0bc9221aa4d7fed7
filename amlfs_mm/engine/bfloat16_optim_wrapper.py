"""Mixed precision without a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from amlfs_mm.registry import OPTIM_WRAPPERS
from amlfs_mm.utils.devices import this_device


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Training steps under ``torch.autocast`` in bfloat16, on a CPU as well as on a GPU.

    mmengine's ``AmpOptimWrapper`` refuses a CPU. The loss is not scaled: bfloat16 has the range of
    float32. ``tools/train.py --amp`` uses this class where there is no GPU.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Compute a training step's forward pass in mixed precision."""
        autocast = torch.autocast(this_device().type, torch.bfloat16)
        with autocast, super().optim_context(model):
            yield
