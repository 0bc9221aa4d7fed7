"""Logits of normalised features and class weights, with the gradient written out.

There may be millions of class weights. Only two tensors of C x D numbers are written: the
normalised weights and the gradient.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.overrides import handle_torch_function, has_torch_function

WEIGHT_EPS = 1e-12
"""A class weight shorter than this counts as this long, as in ``F.normalize``."""


def norm(x: Tensor) -> Tensor:
    """The length (N,) of each row of x (N, D), exact from 1e-38 to 1e38. At 0 the gradient is 0."""
    return torch.linalg.vector_norm(x, dim=1, dtype=torch.float64).to(x.dtype)


def unit_linear(features: Tensor, weight: Tensor, scale: float | None, eps: float) -> Tensor:
    """The logits (N, C) ``scale cos(W_j, x)``, or without a scale ``|x| cos(W_j, x)``.

    Equal to ``F.linear(scale * F.normalize(features, eps=eps), F.normalize(weight))``, with fewer
    passes over the weights in the backward pass, and exact for features of any length from eps up.

    Args:
        features: x (N, D).
        weight: W (C, D).
        scale: s, or None: the features keep their length.
        eps: A shorter feature counts as this long.
    """
    if has_torch_function((features, weight)):  # amlfs_mm.analysis observes this call
        tensors = features, weight
        return handle_torch_function(unit_linear, tensors, *tensors, scale, eps)
    return _UnitLinear.apply(features, weight, scale, eps)


class UnitRows(NamedTuple):
    """Rows ``length x / max(|x|, eps)``, all of one length, and what their gradient needs."""

    rows: Tensor  # (N, D)
    factor: Tensor | None  # (N, 1) length / max(|x|, eps)
    long: Tensor | None  # (N, 1) |x| > eps

    @classmethod
    def of(cls, x: Tensor, length: float, eps: float, dtype: torch.dtype) -> UnitRows:
        """The rows of x (N, D) at this length; |x| is computed in ``dtype``."""
        own = torch.linalg.vector_norm(x, dim=1, keepdim=True, dtype=dtype)
        factor = own.clamp(min=eps).reciprocal_().mul_(length).to(x.dtype)
        return cls(x * factor, factor, own > eps)

    def backward_(self, grad: Tensor, length: float) -> Tensor:
        """The gradient by x (N, D), written over the gradient by the rows."""
        # A row shorter than eps is multiplied by a constant: its gradient keeps all its parts.
        along = torch.linalg.vecdot(grad, self.rows).unsqueeze(1).mul_(self.long)
        return grad.addcmul_(self.rows, along, value=-1 / length**2).mul_(self.factor)


class _UnitLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, features: Tensor, weight: Tensor, scale: float | None, eps: float
    ) -> Tensor:
        x = UnitRows(features, None, None)
        if scale is not None:
            # Scale the N x D features, not the N x C logits. float64 holds any length.
            x = UnitRows.of(features, scale, eps, torch.float64)
        # float64 would copy C x D numbers. Weights shorter than 1e18 do not need it.
        w = UnitRows.of(weight, 1.0, WEIGHT_EPS, weight.dtype)
        ctx.save_for_backward(*x, *w)
        ctx.scale = scale
        return F.linear(x.rows, w.rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        saved = ctx.saved_tensors
        x, w = UnitRows(*saved[:3]), UnitRows(*saved[3:])
        by_features = by_weight = None
        if ctx.needs_input_grad[0]:
            by_features = grad @ w.rows
            if ctx.scale is not None:
                by_features = x.backward_(by_features, ctx.scale)
        if ctx.needs_input_grad[1]:
            by_weight = w.backward_(grad.T @ x.rows, 1.0)
        return by_features, by_weight, None, None
