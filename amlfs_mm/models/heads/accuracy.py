"""The training accuracy that heads report with ``cal_acc``."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def training_accuracy(rank: Tensor, topk: Sequence[int]) -> dict[str, Tensor]:
    """``accuracy_top-<k>`` of a batch, in percent, each (1,).

    mmpretrain's heads count a sample with a score of 0 or less as wrong. Of logits that is no
    right number: they may all be negative.

    Args:
        rank: (N,) the place of each target among the untransformed logits, from 0; see
            :func:`amlfs_mm.models.layers.ranks.target_rank`.
        topk: Each k.
    """
    return {f'accuracy_top-{k}': 100 * (rank < k).float().mean().view(1) for k in topk}
