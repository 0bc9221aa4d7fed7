"""The loss network of L2T-DLF (Wu et al., NeurIPS 2018)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def l2t_dlf_loss(logits: Tensor, target: Tensor, phi: Tensor) -> Tensor:
    """``-sigma(y^T W log p + b)`` of each sample, (N,), in (-1, 0).

    sigma is the logistic function, p the softmax of the logits, y the target as a one-hot vector.
    So row y of W weighs the log probabilities of all classes, and b has one number a class. With
    W = I and b = 0 the loss is ``-p_y / (1 + p_y)``.

    Source: Wu et al., "Learning to Teach with Dynamic Loss Functions", NeurIPS 2018. b as a vector
    and W = I, b = 0 as the start are those of the authors' demo, ``apeterswu/L2T_loss``.

    Args:
        logits: (N, C).
        target: (N,) classes.
        phi: (C, C + 1) the coefficients ``[W | b]``, row y for target y.
    """
    rows = phi.to(logits.dtype)[target]
    weighted = (rows[:, :-1] * F.log_softmax(logits, dim=1)).sum(dim=1) + rows[:, -1]
    return -weighted.sigmoid()
