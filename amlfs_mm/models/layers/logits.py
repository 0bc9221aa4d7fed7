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

from .unit_linear import norm, unit_linear

Scale = float | str | None


def check_scale(scale: Scale) -> None:
    """``scale`` is None, a positive number, or ``'feature'``.

    Raises:
        ValueError: It is something else.
    """
    known = scale is None or scale == 'feature'
    if not known and (isinstance(scale, str) or not 0 < scale < float('inf')):
        raise ValueError(
            "scale must be None (plain linear), a positive number, or 'feature' (|x|), got "
            f'{scale!r}'
        )


def initial_weights(scale: Scale, in_channels: int) -> dict:
    """The ``init_cfg`` of class weights (C, D) for which a config has none.

    Plain weights start as in mmpretrain's ``LinearClsHead``, at N(0, 0.01^2). Of normalised weights
    only the direction counts. A step of SGD turns it by the step's size over the length squared.
    So they start at about length 1, as from the Xavier filler of AM-softmax's and SphereFace's
    authors. At N(0, 0.01^2) and D = 64 their length would be 0.08, and a learning rate of 0.1
    would turn them far in one step.
    """
    std = 0.01 if scale is None else in_channels**-0.5
    return dict(type='Normal', layer='Linear', std=std)


def bias_free_logits(features: Tensor, weight: Tensor, scale: Scale) -> tuple[Tensor, Tensor]:
    """Logits (N, C) and the features (N, D), both in float32 or wider. Call it without autocast.

    Args:
        features: (N, D) in any float type.
        weight: (C, D) the class weights.
        scale: As above.
    """
    dtype = torch.promote_types(features.dtype, torch.float32)
    # Normalising a feature of size eps multiplies gradients by 1 / eps, which half cannot hold.
    eps = 2.0**-6 if features.dtype == torch.float16 else 1e-6
    features, weight = features.to(dtype), weight.to(dtype)
    if scale is None:
        return F.linear(features, weight), features
    return unit_linear(features, weight, None if scale == 'feature' else scale, eps), features


def norms_outside_t(
    features: Tensor, weight: Tensor, target: Tensor, scale: Scale
) -> Tensor | float:
    """n in the target's logit ``n t(cos)`` (Eq. 4): (N,), or one number for a scale s.

    Args:
        features: (N, D).
        weight: (C, D) the class weights.
        target: (N,) classes, rows of the weights.
        scale: As above.
    """
    if scale is None:
        return norm(weight[target].to(features.dtype)) * norm(features)
    if scale == 'feature':
        return norm(features)
    return scale
