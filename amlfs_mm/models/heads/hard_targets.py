"""The classes of a batch, for losses that need one class a sample."""

from __future__ import annotations

import torch
from mmpretrain.structures import DataSample
from torch import Tensor


def hard_targets(data_samples: list[DataSample], name: str) -> Tensor:
    """The classes (N,) of a batch.

    Raises:
        ValueError: The batch has soft labels (Mixup, CutMix).
    """
    if 'gt_score' in data_samples[0]:
        raise ValueError(
            f'{name} needs one class a sample, but the batch has soft labels (gt_score): '
            'remove Mixup / CutMix (model.train_cfg.augments) from the config'
        )
    return torch.cat([sample.gt_label for sample in data_samples])
