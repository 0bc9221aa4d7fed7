"""Parts of the file that :mod:`.standalone_loss` writes: it copies their source text.

They need torch alone. The constants below stand for those of the written file; as they are here,
they are plain softmax.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from amlfs_mm.engine.history.loss_schedule import interpolate
from amlfs_mm.models.layers.unit_linear import norm
from amlfs_mm.models.losses.written_out_loss import _WrittenOutLoss
from amlfs_mm.search.monotone_space import climb
from amlfs_mm.search.piecewise_linear import CeiledLinear, PiecewiseLinear
from amlfs_mm.search.search_softmax_space import LOWEST, SearchSoftmaxProbability

THETA = [[1.0, 0.0, 1.0, 0.0]]
MIDDLES = [0.5]
MIN_SLOPE = 0.01
TAU_FLOOR = 'relative'
T_IS_IDENTITY = True
TLinear = PiecewiseLinear


def search_space_transforms(theta: Tensor) -> tuple:
    """The functions t and tau of theta (D,)."""
    t_slope, t_bias, tau_slope, tau_bias = theta.chunk(4)
    t = TLinear(t_slope.clamp(min=MIN_SLOPE), t_bias, -1.0, 1.0)
    tau = PiecewiseLinear(tau_slope.clamp(min=MIN_SLOPE), tau_bias, 0.0, 1.0)
    return t, tau


def monotone_transforms(theta: Tensor) -> tuple:
    """The increasing functions t and tau of theta (D,)."""
    m = (len(theta) + 1) // 4
    t_slope, t_step, tau_slope, tau_step = theta.split([m, m, m, m - 1])
    t = climb(t_slope.clamp(min=MIN_SLOPE), t_step[0] - 1, t_step[1:], -1.0, 1.0)
    tau_slope = tau_slope.clamp(min=MIN_SLOPE)
    tau = climb(tau_slope, torch.zeros_like(tau_slope[0]), tau_step, 0.0, 1.0)
    return TLinear(t.slope, t.bias, -1.0, 1.0), tau


def search_softmax_transforms(theta: Tensor) -> tuple:
    """The functions t and tau of theta (1,): t is the identity."""
    a = theta.clamp(LOWEST, 0)
    t = PiecewiseLinear(torch.ones_like(a), torch.zeros_like(a), -1.0, 1.0)
    return t, SearchSoftmaxProbability(a)


transforms = search_space_transforms


class Schedule(nn.Module):
    """The functions t and tau at each point of a training.

    ``progress`` is the share of the training that is done, from 0 to 1. It can be given to a call
    of the loss, or set here. For the numbers of ``LossReplayHook`` it is ``(epoch + 0.5) / epochs``
    in the whole epoch, counted from 0.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer('table', torch.tensor(THETA, dtype=torch.float32), persistent=False)
        middles = torch.tensor(MIDDLES, dtype=torch.float64)
        self.register_buffer('middles', middles, persistent=False)
        self.progress: float | None = 0.0 if len(THETA) == 1 else None

    def transforms_at(self, progress: float | None, dtype: torch.dtype) -> tuple:
        """The functions t and tau at a progress; None: at ``self.progress``."""
        progress = self.progress if progress is None else progress
        if progress is None or not 0 <= progress <= 1:
            raise ValueError(
                'this loss changes over the training: give progress, the share of the training '
                f'that is done, from 0 to 1; got {progress}'
            )
        wanted = self.middles.new_tensor([progress], dtype=torch.float64)
        theta = interpolate(self.table.float(), self.middles.double(), wanted)[0]
        return transforms(theta.to(dtype))


class SearchedSoftmax(Schedule):
    """The loss ``-log tau(p)``, p the softmax of the target with the logit ``n t(cos)``.

    Args:
        scale: None: the inputs are the logits ``W_j . x`` of a linear layer without bias. A number
            s: they are cosines, and the logits are ``s cos``.
        reduction: ``'mean'`` over the batch, or ``'none'``.
    """

    def __init__(self, scale: float | None = None, reduction: str = 'mean') -> None:
        super().__init__()
        if scale is not None and not scale > 0:
            raise ValueError(f'scale must be None or a positive number, got {scale}')
        if reduction not in ('mean', 'none'):
            raise ValueError(f"reduction must be 'mean' or 'none', got {reduction!r}")
        self.scale = scale
        self.reduction = reduction

    def forward(
        self,
        logits: Tensor,
        target: Tensor,
        progress: float | None = None,
        norms: Tensor | float | None = None,
    ) -> Tensor:
        """The loss of each sample (N,), or its mean.

        Args:
            logits: (N, C) logits; with a scale: cosines.
            target: (N,) classes.
            progress: See the class; None: the attribute ``progress``.
            norms: (N,) ``|W_y| |x|`` as :func:`norms_of` gives it, for logits without a scale.
        """
        t, tau = self.transforms_at(progress, torch.promote_types(logits.dtype, torch.float32))
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        if self.scale is not None:
            logits, norms = self.scale * logits, float(self.scale)
        elif norms is None:
            if not T_IS_IDENTITY:
                raise ValueError(
                    'this loss has a margin: give scale (for cosines) to the constructor, or '
                    'norms=norms_of(features, weight, target) to the call'
                )
            norms = 1.0
        loss = _WrittenOutLoss.apply(logits, target, norms, t, tau, TAU_FLOOR)[0]
        return loss.mean() if self.reduction == 'mean' else loss


def norms_of(features: Tensor, weight: Tensor, target: Tensor) -> Tensor:
    """The norms ``|W_y| |x|`` (N,) of features (N, D), class weights (C, D), classes (N,)."""
    return norm(weight[target].to(features.dtype)) * norm(features)


class SearchedMargin(Schedule):
    """The margin as arcface_torch's ``ArcFace`` and ``CosFace``: cosines in, logits out.

    Set ``progress`` in the training loop, unless the loss is constant.

    Args:
        s: The scale of the logits.
    """

    def __init__(self, s: float = 64.0) -> None:
        super().__init__()
        self.s = s

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The logits (N, C) ``s cos``, of the targets ``s t(cos)``.

        Args:
            logits: (N, C) cosines.
            labels: (N,) or (N, 1) classes; -1: the class is on another process.
        """
        labels = labels.view(-1)
        index = torch.where(labels != -1)[0]
        cosine = logits[index, labels[index]]
        t, _ = self.transforms_at(None, logits.dtype)
        slope, bias = t.tangent(cosine)
        scaled = self.s * logits
        scaled[index, labels[index]] = self.s * (slope * cosine + bias)
        return scaled


class SearchedCriterion(SearchedSoftmax):
    """The whole criterion: in arcface_torch it replaces the margin and the cross entropy.

    tau is not the identity, so a margin alone is not the loss. All classes are in one process.
    Set ``progress`` in the training loop, unless the loss is constant.

    Args:
        s: The scale of the logits.
    """

    def __init__(self, s: float = 64.0) -> None:
        super().__init__(scale=s)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The mean loss of cosines (N, C) with labels (N,) or (N, 1)."""
        return super().forward(logits, labels.view(-1))


__all__ = ['CeiledLinear', 'SearchedCriterion', 'SearchedMargin', 'SearchedSoftmax', 'norms_of']
