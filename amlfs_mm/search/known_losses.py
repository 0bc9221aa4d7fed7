"""Hand-made losses as transforms t of the cosine or tau of the probability (paper, section 3.1).

Table 1 of the paper misprints two rows. Here are the originals: AM-softmax is ``x - m`` (Wang et
al. 2018). L-softmax and A-softmax use the monotone extension psi (Liu et al. 2016, 2017).
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


def robust(probability: Tensor, b: float) -> Tensor:
    """``p + b``: the loss ``-log(p + b)`` bounds the gradient of samples with wrong labels.

    A sample's weight is ``p / (p + b)``: it goes to 0 with p. Not in the paper.
    """
    return probability + b


FAMILIES: dict[str, tuple[str, Callable[..., Tensor], str]] = {
    'am_softmax': ('m', am_softmax, 't'),
    'arcface': ('m', arcface, 't'),
    'l_softmax': ('m', psi, 't'),
    'a_softmax': ('m', psi, 't'),
    'focal': ('alpha', focal, 'tau'),
    'robust': ('b', robust, 'tau'),
}
"""name -> (its one parameter, the function, whether the function is t or tau)"""


def check_known_loss(name: str, params: dict[str, float]) -> None:
    """A known loss has a known name and exactly its one parameter.

    Raises:
        ValueError: The name is unknown, or the parameter is missing, wrong or out of range.
    """
    if name not in FAMILIES:
        raise ValueError(
            f"unknown loss {name!r} with {params}; known are 'softmax' (no parameter), "
            + ', '.join(f'{key!r} ({value[0]})' for key, value in FAMILIES.items())
        )
    parameter = FAMILIES[name][0]
    if set(params) != {parameter}:
        raise ValueError(
            f'known_loss({name!r}) takes exactly {parameter}=..., got {sorted(params)}'
        )
    value = params[parameter]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f'{name}: {parameter} must be a finite number, got {value!r}')
    if name in ('l_softmax', 'a_softmax') and (value != int(value) or value < 1):
        raise ValueError(f'{name} is defined for whole m >= 1, got m={value}')
    if name == 'robust' and value < 0:
        raise ValueError(f'robust is -log(p + b) with b >= 0, got b={value}')


def fit_line(
    function: Callable[[Tensor], Tensor],
    lower: float,
    upper: float,
    min_slope: float,
    bias: float | None = None,
) -> tuple[float, float]:
    """The line with the least maximum error on an interval, as ``(slope, bias)``.

    The maximum error is convex in the slope, so a ternary search finds the least.

    Args:
        function: What to approximate. It is called on a float64 grid.
        lower: Left end of the interval.
        upper: Right end of the interval.
        min_slope: The least slope: the loss would raise a smaller one to this.
        bias: The bias of the line. None: the best one.
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
