"""Logits of features and class weights of one length, with the gradient written out.

Class weights are many: of their size C x D the unit rows and the gradient are all that is written.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.overrides import handle_torch_function, has_torch_function

WEIGHT_EPS = 1e-12
"""As in ``F.normalize``: a class weight shorter than this counts as this long."""


def norm(x: Tensor) -> Tensor:
    """The length (N,) of each row of x (N, D), exact from 1e-38 to 1e38; gradient 0 at 0."""
    return torch.linalg.vector_norm(x, dim=1, dtype=torch.float64).to(x.dtype)


def unit_linear(features: Tensor, weight: Tensor, scale: float | None, eps: float) -> Tensor:
    """``scale cos(W_j, x)``, logits (N, C), from features x (N, D) and class weights W (C, D).

    As ``F.linear(scale * F.normalize(features, eps=eps), F.normalize(weight))``, with fewer passes
    over the weights in the backward pass, and for features of any length from eps up. Without a
    scale the features keep their length: ``|x| cos(W_j, x)``.
    """
    if has_torch_function((features, weight)):  # a mode that watches, as amlfs_mm.analysis has
        tensors = features, weight
        return handle_torch_function(unit_linear, tensors, *tensors, scale, eps)
    return _UnitLinear.apply(features, weight, scale, eps)


class UnitRows(NamedTuple):
    """Rows of one length, ``length x / max(|x|, eps)``, and what their gradient needs."""

    rows: Tensor  # (N, D)
    factor: Tensor | None  # (N, 1) length / max(|x|, eps)
    long: Tensor | None  # (N, 1) |x| > eps

    @classmethod
    def of(cls, x: Tensor, length: float, eps: float, dtype: torch.dtype) -> UnitRows:
        own = torch.linalg.vector_norm(x, dim=1, keepdim=True, dtype=dtype)
        factor = own.clamp(min=eps).reciprocal_().mul_(length).to(x.dtype)
        return cls(x * factor, factor, own > eps)

    def backward_(self, grad: Tensor, length: float) -> Tensor:
        """The gradient by x, in place of that by the rows."""
        # Shorter rows are multiplied by a constant: no part of their gradient is taken away.
        along = torch.linalg.vecdot(grad, self.rows).unsqueeze(1).mul_(self.long)
        return grad.addcmul_(self.rows, along, value=-1 / length**2).mul_(self.factor)


class _UnitLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, features: Tensor, weight: Tensor, scale: float | None, eps: float
    ) -> Tensor:
        x = UnitRows(features, None, None)
        if scale is not None:
            # The scale on N x D numbers, not on the N x C logits. In float64 for any length.
            x = UnitRows.of(features, scale, eps, torch.float64)
        # float64 is a copy of C x D numbers, which weights shorter than 1e18 do not need.
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
