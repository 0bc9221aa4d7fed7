"""The searched loss with its gradient written out: what :class:`amlfs_mm.AMLFSHead` trains with.

The same numbers as :mod:`.amlfs_loss`, where the equations are to be read, for less: of its size
N x C only one log-softmax and one gradient are written, and of the transforms of N numbers autograd
keeps nothing but two vectors.

Shapes: N samples, C classes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from amlfs_mm.search import PiecewiseLinear

from .amlfs_loss import CONSTANT_FLOOR, RELATIVE_FLOOR

SMALLEST_PROBABILITY = 1e-30
"""Of p in ``a p + b`` and ``b / (a p)``: keeps the one from 0, the other finite, in float32."""


class SearchedLoss(NamedTuple):
    """The losses (N,), and the intervals (N,) that the samples fell into."""

    loss: Tensor
    t_interval: Tensor  # of t, the target's cosine's
    tau_interval: Tensor  # of tau, the probability p^t's


def fused_amlfs_loss(
    logits: Tensor,
    target: Tensor,
    target_norm: Tensor | float,
    t: PiecewiseLinear,
    tau: PiecewiseLinear,
    floor: str = 'relative',
) -> SearchedLoss:
    """As :func:`.amlfs_loss`; ``target_norm`` may also be one number, a normalised head's scale."""
    return SearchedLoss(*_SearchedLoss.apply(logits, target, target_norm, t, tau, floor))


def log_tau_and_weight(
    log_probability: Tensor, tau: PiecewiseLinear, floor: str
) -> tuple[Tensor, Tensor, Tensor]:
    """``log tau(p)`` as in :func:`.log_tau`, its derivative by ``log p``, and p's intervals.

    The derivative, ``p tau'(p) / tau(p)``, is the factor by which tau weights the sample's softmax
    gradient: ``a p / (a p + b)`` where the floor does not reach.
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
    # Of a lowered tau the log is log(a p) + log(share), also where p is too small for a float.
    lowered = log_probability + (slope * share.clamp(min=RELATIVE_FLOOR)).log()
    log_tau = torch.where(bias > 0, value.log(), lowered)
    return log_tau, torch.threshold(share, RELATIVE_FLOOR, 1).reciprocal(), interval


class _SearchedLoss(torch.autograd.Function):
    """All vectors of N numbers are columns (N, 1) inside."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        logits: Tensor,
        target: Tensor,
        target_norm: Tensor | float,
        t: PiecewiseLinear,
        tau: PiecewiseLinear,
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

        # A copy of N x C is saved: the N target logits are replaced and put back.
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
