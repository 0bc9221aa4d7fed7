"""The reference of the searched loss L^{tau,t} (Eq. 4, 16), in the log domain.

Read the equations here. Training uses :mod:`.written_out_loss`, which tests compare with this.

Shapes: N samples, C classes.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from amlfs_mm.search.protocols import Tangent, Transform

RELATIVE_FLOOR = 0.1
"""The least tau(p) with ``floor='relative'``, as a share of a p."""

CONSTANT_FLOOR = 0.01
"""The least tau(p) with ``floor='constant'``."""


def transform_target_logit(
    logits: Tensor, target: Tensor, target_norm: Tensor | float, t: Tangent
) -> tuple[Tensor, Tensor]:
    """Replace each sample's target logit ``n cos`` by ``n t(cos)`` (Eq. 4).

    Args:
        logits: (N, C) ``n_j cos(theta_j)``.
        target: (N,) class indices.
        target_norm: (N,) n, the norms outside t: ``|W_y| |x|``, or the scale of a normalised head.
        t: The transform of the target's cosine.

    Returns:
        The new logits (N, C) and the target's cosines (N,), these without a gradient.
    """
    target_logit = logits.gather(1, target[:, None]).squeeze(1)
    transformed, cosine = transform(target_logit, target_norm, t)
    return logits.scatter(1, target[:, None], transformed[:, None]), cosine


def transform(
    target_logit: Tensor, target_norm: Tensor | float, t: Tangent
) -> tuple[Tensor, Tensor]:
    """``n t(cos)`` (Eq. 4) of the target's logit alone.

    Args:
        target_logit: (N,) ``n cos(theta_y)``.
        target_norm: (N,) n, or one number.
        t: The transform of the target's cosine.

    Returns:
        The transformed logits (N,), and the cosines (N,) without a gradient.
    """
    # Only the choice of the interval needs the quotient. Value and gradient do not divide by n.
    divisor = target_norm
    if isinstance(target_norm, Tensor):
        divisor = target_norm.clamp(min=torch.finfo(target_logit.dtype).tiny)
    cosine = (target_logit / divisor).detach()
    slope, bias = t.tangent(cosine)
    return slope * target_logit + bias * target_norm, cosine


def log_tau(log_probability: Tensor, tau: Transform, floor: str) -> Tensor:
    """``log tau(p)`` (N,), also where the sampled tau(p) = a p + b is not positive.

    Args:
        log_probability: (N,) ``log p``.
        tau: The transform of the target's probability.
        floor: What keeps tau positive. ``relative``: tau(p) = max(a p + b, 0.1 a p). Below the
            floor the gradient is that of softmax, and no sample's weight ``a p / tau(p)`` exceeds
            10. ``constant``: tau(p) = max(a p + b, 0.01), the paper taken literally. Below the
            floor there is no gradient.
    """
    slope, bias = tau.tangent(log_probability.exp())
    if floor == 'constant':
        return (slope * log_probability.exp() + bias).clamp(min=CONSTANT_FLOOR).log()
    log_line = slope.log() + log_probability  # log(a p)
    log_bias = bias.abs().log()  # -inf for b = 0
    raised = torch.logaddexp(log_line, log_bias)
    ratio = (log_bias - log_line).clamp(max=math.log(1 - RELATIVE_FLOOR)).exp()  # |b| / (a p)
    lowered = log_line + torch.log1p(-ratio)
    return torch.where(bias > 0, raised, lowered)


def amlfs_loss(
    logits: Tensor,
    target: Tensor,
    target_norm: Tensor | float,
    t: Transform,
    tau: Transform,
    floor: str = 'relative',
) -> tuple[Tensor, Tensor, Tensor]:
    """The loss of each sample, ``-log tau(p_y^t)`` (Eq. 16).

    Args:
        logits: (N, C) float32, untransformed.
        target: (N,) class indices.
        target_norm: (N,) the norms outside t (Eq. 4).
        t: The transform of the target's cosine on [-1, 1] (Eq. 17).
        tau: The transform of the target's probability on [0, 1].
        floor: What keeps tau positive, ``relative`` or ``constant``; see :func:`log_tau`.

    Returns:
        The losses (N,), then without a gradient the target's cosines (N,) and probabilities p^t
        (N,).
    """
    logits, cosine = transform_target_logit(logits, target, target_norm, t)
    log_probability = -F.cross_entropy(logits, target, reduction='none')
    return -log_tau(log_probability, tau, floor), cosine, log_probability.detach().exp()
