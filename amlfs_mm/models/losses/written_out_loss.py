"""The searched loss with its gradient written out. :class:`amlfs_mm.AMLFSHead` trains with it.

It gives the numbers of :mod:`.reference_loss`, where the equations can be read, in less time and
memory. Only two tensors of N x C numbers are written: one log-softmax and one gradient. Of the two
transforms, autograd keeps only vectors of N numbers.

Shapes: N samples, C classes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from amlfs_mm.search.protocols import Transform

from .reference_loss import CONSTANT_FLOOR, RELATIVE_FLOOR

SMALLEST_PROBABILITY = 1e-30
"""A smaller p counts as this in ``a p + b`` and ``b / (a p)``: both stay finite in float32."""


class SearchedLoss(NamedTuple):
    """The losses of N samples, and the intervals that these samples fall into."""

    loss: Tensor
    """(N,) ``-log tau(p^t)``."""
    t_interval: Tensor
    """(N,) The interval of t that has the target's cosine."""
    tau_interval: Tensor
    """(N,) The interval of tau that has the probability p^t."""


def fused_amlfs_loss(
    logits: Tensor,
    target: Tensor,
    target_norm: Tensor | float,
    t: Transform,
    tau: Transform,
    floor: str = 'relative',
) -> SearchedLoss:
    """The loss of each sample (Eq. 4, 16) with a written-out gradient ("fused").

    It gives the numbers of :func:`.reference_loss.amlfs_loss`.

    Args:
        logits: (N, C) float32 or float64, untransformed.
        target: (N,) class indices.
        target_norm: (N,) the norms outside t (Eq. 4), or one number, the scale of a normalised
            head.
        t: The transform of the target's cosine on [-1, 1] (Eq. 17).
        tau: The transform of the target's probability on [0, 1].
        floor: What keeps tau positive; see :func:`.reference_loss.log_tau`.
    """
    return SearchedLoss(*_WrittenOutLoss.apply(logits, target, target_norm, t, tau, floor))


def log_tau_and_weight(
    log_probability: Tensor, tau: Transform, floor: str
) -> tuple[Tensor, Tensor, Tensor]:
    """``log tau(p)`` as in :func:`.log_tau`, its derivative by ``log p``, and p's interval.

    The derivative ``p tau'(p) / tau(p)`` is the factor by which tau multiplies a sample's softmax
    gradient. Above the floor it is ``a p / (a p + b)``.

    Args:
        log_probability: (N,) or (N, 1) ``log p``.
        tau: The transform of the target's probability.
        floor: What keeps tau positive; see :func:`.log_tau`.

    Returns:
        Three tensors of the shape of ``log_probability``.
    """
    probability = log_probability.exp()
    interval = tau.locate(probability)
    slope, bias = tau.tangent(probability, interval)
    if floor == 'constant':
        line = slope * probability
        value = (line + bias).clamp(min=CONSTANT_FLOOR)
        return value.log(), (line / value).where(value > CONSTANT_FLOOR, 0), interval
    line = slope * probability.clamp(min=SMALLEST_PROBABILITY)
    value = line + bias
    share = value / line
    # For b <= 0, log tau is log(a p) + log(share), also where p is too small for a float.
    lowered = log_probability + (slope * share.clamp(min=RELATIVE_FLOOR)).log()
    log_tau = torch.where(bias > 0, value.log(), lowered)
    return log_tau, torch.threshold(share, RELATIVE_FLOOR, 1).reciprocal(), interval


class _WrittenOutLoss(torch.autograd.Function):
    """Inside, every vector of N numbers is a column (N, 1)."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        logits: Tensor,
        target: Tensor,
        target_norm: Tensor | float,
        t: Transform,
        tau: Transform,
        floor: str,
    ) -> tuple[Tensor, Tensor, Tensor]:
        target = target.unsqueeze(1)
        target_logit = logits.gather(1, target)
        divisor = target_norm
        if isinstance(target_norm, Tensor):
            target_norm = target_norm.unsqueeze(1)
            divisor = target_norm.clamp(min=torch.finfo(logits.dtype).tiny)
        cosine = target_logit / divisor
        t_interval = t.locate(cosine)
        slope, bias = t.tangent(cosine, t_interval)
        transformed = torch.addcmul(bias * target_norm, slope, target_logit)

        # Replace the N target logits and put them back afterwards: this saves a copy of N x C.
        values = logits.data
        values.scatter_(1, target, transformed)
        log_probabilities = torch.log_softmax(values, 1)
        values.scatter_(1, target, target_logit)

        log_probability = log_probabilities.gather(1, target)
        log_tau, weight, tau_interval = log_tau_and_weight(log_probability, tau, floor)
        ctx.save_for_backward(log_probabilities, log_probability, target, weight, slope, bias)
        return log_tau.squeeze(1).neg(), t_interval.squeeze(1), tau_interval.squeeze(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor, *_: Tensor) -> tuple:
        log_probabilities, log_probability, target, weight, slope, bias = ctx.saved_tensors
        grad = grad.unsqueeze(1) * weight
        grad_transformed = grad * log_probability.expm1()  # p - 1, exact also where p is nearly 1
        grad_logits = log_probabilities.exp().mul_(grad)
        grad_logits.scatter_(1, target, slope * grad_transformed)
        grad_norm = (bias * grad_transformed).squeeze(1) if ctx.needs_input_grad[2] else None
        return grad_logits, None, grad_norm, None, None, None
