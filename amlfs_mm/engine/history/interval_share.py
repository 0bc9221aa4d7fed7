"""Which intervals of t and tau the training samples fall into."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..searched_heads import SearchedHead


def interval_share(heads: Sequence[SearchedHead]) -> dict[str, list[float]]:
    """Share in [0, 1] of the winner's training samples in each interval of t and of tau.

    Only this process's samples are counted. The heads count them since the last call of
    ``set_theta``.

    Returns:
        ``t_interval`` and ``tau_interval``, one share for each of the M intervals.
    """
    counts = [head.interval_counts() for head in heads]
    share = {}
    for name in counts[0]:
        count = torch.stack([of_head[name] for of_head in counts]).sum(0).double()
        share[f'{name}_interval'] = (count / count.sum().clamp(min=1)).tolist()
    return share
