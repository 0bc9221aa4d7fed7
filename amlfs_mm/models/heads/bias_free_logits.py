"""The logits of a classifier without bias, and the norms that stay outside t (Eq. 4).

A scale says what the logits are:
    None: ``W_j . x = |W_j| |x| cos(theta_j)``.
    a float s: ``s cos(theta_j)``.
    ``'feature'``: ``|x| cos(theta_j)``, A-softmax's (SphereFace).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

Scale = float | str | None


def check_scale(scale: Scale) -> None:
    """Refuse a scale that is none of the above.

    Raises:
        ValueError: It is not.
    """
    known = scale is None or scale == 'feature'
    if not known and (isinstance(scale, str) or not 0 < scale < float('inf')):
        raise ValueError(
            "scale must be None (plain linear), a positive number, or 'feature' (|x|), got "
            f'{scale!r}'
        )


def bias_free_logits(features: Tensor, weight: Tensor, scale: Scale) -> tuple[Tensor, Tensor]:
    """Logits (N, C) and the features (N, D), in float32 or wider also under autocast."""
    dtype = torch.promote_types(features.dtype, torch.float32)
    # Normalising a feature of size eps multiplies gradients by 1 / eps, which half cannot hold.
    eps = 2.0**-6 if features.dtype == torch.float16 else 1e-6
    with torch.autocast(features.device.type, enabled=False):
        features, weight = features.to(dtype), weight.to(dtype)
        if scale is None:
            return F.linear(features, weight), features
        if scale == 'feature':
            return F.linear(features, F.normalize(weight)), features
        unit = features / norm(features).clamp(min=eps)[:, None]
        return scale * F.linear(unit, F.normalize(weight)), features


def norms_outside_t(features: Tensor, target_weight: Tensor, scale: Scale) -> Tensor:
    """n (N,) of ``n t(cos)``, from features (N, D) and the weights (N, D) of their classes."""
    if scale is None:
        return norm(target_weight.to(features.dtype)) * norm(features)
    if scale == 'feature':
        return norm(features)
    return torch.full_like(features[:, 0], scale)


def norm(x: Tensor) -> Tensor:
    """The length (N,) of each row of x (N, D), exact from 1e-38 to 1e38; gradient 0 at 0."""
    largest = x.detach().abs().amax(1, keepdim=True).clamp(min=torch.finfo(x.dtype).tiny)
    return largest[:, 0] * torch.linalg.vector_norm(x / largest, dim=1)
