"""The searched loss with its gradient written out: what :class:`amlfs_mm.AMLFSHead` trains with.

The same numbers as :mod:`.amlfs_loss`, where the equations are to be read, for less: of its size
N x C only one log-softmax and one gradient are written, and of the transforms of N numbers autograd
keeps nothing but two vectors.

Shapes: N samples, C classes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from amlfs_mm.search import PiecewiseLinear

from .amlfs_loss import CONSTANT_FLOOR, RELATIVE_FLOOR

LARGEST_EXPONENT = 80
"""exp of it is finite in float32."""


class SearchedLoss(NamedTuple):
    """The losses (N,), and without gradient the target's cosine (N,) and probability p^t (N,)."""

    loss: Tensor
    cosine: Tensor
    probability: Tensor


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
) -> tuple[Tensor, Tensor]:
    """``log tau(p)`` (N,) as in :func:`.log_tau`, and its derivative by ``log p``.

    The derivative, ``p tau'(p) / tau(p)``, is the factor by which tau weights the sample's softmax
    gradient: ``a p / (a p + b)`` where the floor does not reach.
    """
    probability = log_probability.exp()
    slope, bias = tau.tangent(probability)
    line = slope * probability
    if floor == 'constant':
        value = (line + bias).clamp(min=CONSTANT_FLOOR)
        return value.log(), (line / value).where(value > CONSTANT_FLOOR, 0)
    log_line = slope.log() + log_probability  # log(a p), also where p has underflowed
    # b / (a p), from which the floor of a tenth of a p takes what is below -9 / 10.
    ratio = bias * (-log_line).clamp(max=LARGEST_EXPONENT).exp()
    floored = ratio < RELATIVE_FLOOR - 1
    ratio = ratio.clamp(min=RELATIVE_FLOOR - 1)
    log_tau = torch.where(bias > 0, (line + bias).log(), log_line + ratio.log1p())
    return log_tau, (1 + ratio).reciprocal().masked_fill(floored, 1)


class _SearchedLoss(torch.autograd.Function):
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
        index = target[:, None]
        target_logit = logits.gather(1, index).squeeze(1)
        if isinstance(target_norm, Tensor):
            cosine = target_logit / target_norm.clamp(min=torch.finfo(logits.dtype).tiny)
        else:
            cosine = target_logit / target_norm
        slope, bias = t.tangent(cosine)
        transformed = slope * target_logit + bias * target_norm

        # A copy of N x C is saved: the N target logits are replaced and put back.
        values = logits.data
        values.scatter_(1, index, transformed[:, None])
        log_probabilities = F.log_softmax(values, 1)
        values.scatter_(1, index, target_logit[:, None])

        log_probability = log_probabilities.gather(1, index).squeeze(1)
        log_tau, weight = log_tau_and_weight(log_probability, tau, floor)
        probability = log_probability.exp()
        ctx.save_for_backward(log_probabilities, target, weight, slope, bias)
        ctx.mark_non_differentiable(cosine, probability)
        return -log_tau, cosine, probability

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor, *_: Tensor) -> tuple:
        log_probabilities, target, weight, slope, bias = ctx.saved_tensors
        index = target[:, None]
        grad = grad * weight
        # p - 1, exact also where p is nearly 1
        grad_transformed = grad * log_probabilities.gather(1, index).squeeze(1).expm1()
        grad_logits = log_probabilities.exp().mul_(grad[:, None])
        grad_logits.scatter_(1, index, (slope * grad_transformed)[:, None])
        grad_norm = bias * grad_transformed if ctx.needs_input_grad[2] else None
        return grad_logits, None, grad_norm, None, None, None
