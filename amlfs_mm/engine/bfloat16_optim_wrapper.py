"""Mixed precision without a GPU."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from torch import nn

from amlfs_mm.registry import OPTIM_WRAPPERS
from amlfs_mm.utils.devices import has_bfloat16_arithmetic, this_device


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Training steps under ``torch.autocast`` in bfloat16, on a CPU as well as on a GPU.

    mmengine's ``AmpOptimWrapper`` refuses a CPU. The loss is not scaled: bfloat16 has the range of
    float32. ``tools/train.py --amp`` uses this class where there is no GPU. On a device that cannot
    compute in bfloat16 itself it warns that training becomes slower, not faster.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_bfloat16_arithmetic(this_device()):
            print_log(
                f'This device ({this_device()}) has no bfloat16 instructions: a training step in '
                'bfloat16 may take several times as long as in float32. Leave --amp or '
                'BFloat16OptimWrapper out here',
                logger='current',
                level=logging.WARNING,
            )

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Compute a training step's forward pass in mixed precision."""
        autocast = torch.autocast(this_device().type, torch.bfloat16)
        with autocast, super().optim_context(model):
            yield
