"""The place of a target among its sample's logits."""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def target_rank(logits: Tensor, target: Tensor) -> Tensor:
    """The place (N,) of each target's logit, from 0 (the largest).

    Of equal logits the class with the smaller number comes first, as in ``argmax``. A logit that
    is NaN comes before all others, so that a diverged model has no sample right.

    Args:
        logits: (N, C).
        target: (N,) classes.
    """
    own = logits.gather(1, target[:, None]).squeeze(1)
    return count_before(logits, torch.arange(logits.shape[1], device=logits.device), own, target)


def count_before(logits: Tensor, classes: Tensor, target_logit: Tensor, target: Tensor) -> Tensor:
    """How many of some classes come before each sample's target.

    Args:
        logits: (N, K) of these classes.
        classes: (K,) their numbers.
        target_logit: (N,) of the sample's target, which need not be among them.
        target: (N,) the number of the target.
    """
    own = target_logit[:, None]
    larger = ~(logits <= own)  # NaN as well
    equal_before = (logits == own) & (classes < target[:, None])
    return (larger | equal_before).sum(1)
