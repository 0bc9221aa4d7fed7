"""Hand-made losses as transforms t of the cosine or tau of the probability (paper, section 3.1).

Table 1 of the paper misprints two rows; these are the originals: AM-softmax is ``x - m`` (Wang et
al. 2018), and L-softmax and A-softmax use the monotone extension psi (Liu et al. 2016, 2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor


def am_softmax(cosine: Tensor, m: float) -> Tensor:
    """``x - m``, the additive cosine margin of AM-softmax / CosFace."""
    return cosine - m


def arcface(cosine: Tensor, m: float) -> Tensor:
    """``cos(arccos(x) + m)``, the additive angular margin of ArcFace (Table 1)."""
    return torch.cos(torch.arccos(cosine) + m)


def psi(cosine: Tensor, m: int) -> Tensor:
    """``(-1)^k cos(m arccos x) - 2k``, k = floor(m arccos(x) / pi): L-softmax and A-softmax."""
    angle = torch.arccos(cosine)
    k = torch.floor(m * angle / math.pi).clamp(0, m - 1)
    return (1 - 2 * (k % 2)) * torch.cos(m * angle) - 2 * k


def focal(probability: Tensor, alpha: float) -> Tensor:
    """``p^((1 - p)^alpha)``: the focal loss (Eq. 5, 6) moved into the log (below Eq. 16)."""
    return probability ** ((1 - probability) ** alpha)


FAMILIES: dict[str, tuple[str, Callable[..., Tensor], str]] = {
    'am_softmax': ('m', am_softmax, 't'),
    'arcface': ('m', arcface, 't'),
    'l_softmax': ('m', psi, 't'),
    'a_softmax': ('m', psi, 't'),
    'focal': ('alpha', focal, 'tau'),
}
"""name -> (its one parameter, the function, whether it is t or tau)"""


def fit_line(
    function: Callable[[Tensor], Tensor],
    lower: float,
    upper: float,
    min_slope: float,
    bias: float | None = None,
) -> tuple[float, float]:
    """The line of least maximum error on an interval, as ``(slope, bias)``.

    The maximum error is convex in the slope, so a ternary search finds it.

    Args:
        function: What to approximate; called on a float64 grid.
        lower: Left end.
        upper: Right end.
        min_slope: The slope is at least this: the loss would clamp a smaller one.
        bias: Fix the bias, else the best one is taken.
    """
    x = torch.linspace(lower, upper, 2001, dtype=torch.float64)
    y = function(x)

    def best_bias_and_error(slope: float) -> tuple[float, float]:
        residual = y - slope * x
        low, high = residual.min().item(), residual.max().item()
        if bias is None:
            return (low + high) / 2, (high - low) / 2
        return bias, max(abs(low - bias), abs(high - bias))

    left, right = min_slope, max(min_slope, 1e3)
    for _ in range(120):
        third = (right - left) / 3
        if best_bias_and_error(left + third)[1] <= best_bias_and_error(right - third)[1]:
            right -= third
        else:
            left += third
    slope = (left + right) / 2
    return slope, best_bias_and_error(slope)[0]
