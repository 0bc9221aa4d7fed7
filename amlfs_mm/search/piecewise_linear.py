"""Piecewise-linear functions: the paper's candidate set for t and tau (Eq. 17)."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import torch
from torch import Tensor


class PiecewiseLinear:
    """``slope_i * x + bias_i`` on M equal intervals (Eq. 17).

    The intervals have independent slopes and biases, so the function may jump at an inner edge; a
    value on an inner edge belongs to the upper interval, and values outside ``[lower, upper]``
    (rounding) to the nearest one.

    Args:
        slope: (M,) a_i.
        bias: (M,) b_i.
        lower: Left end of the domain, zeta_0.
        upper: Right end of the domain, zeta_M.
    """

    def __init__(self, slope: Tensor, bias: Tensor, lower: float, upper: float) -> None:
        if slope.shape != bias.shape or slope.ndim != 1:
            raise ValueError(
                f'slope and bias must be vectors of one length, got {tuple(slope.shape)} and '
                f'{tuple(bias.shape)}'
            )
        self.slope = slope
        self.bias = bias
        self.lower = lower
        self.upper = upper

    @property
    def num_intervals(self) -> int:
        return len(self.slope)

    @property
    def edges(self) -> Tensor:
        """(M + 1,) the end points zeta_0 ... zeta_M."""
        return even_edges(self.lower, self.upper, self.num_intervals, self.slope.device)

    def locate(self, x: Tensor) -> Tensor:
        """The interval of each value: an int64 tensor of x's shape, in [0, M)."""
        inner = inner_edges(self.lower, self.upper, self.num_intervals, self.slope.device)
        return torch.bucketize(x.detach(), inner, right=True)

    def tangent(self, x: Tensor, interval: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Slope and bias at each value, both of x's shape.

        This pair is all that a loss needs: the value is ``slope * x + bias`` and the derivative
        ``slope``. A smooth transform can take part by returning its tangent line.

        Args:
            x: The values.
            interval: ``locate(x)``, where it is at hand.
        """
        if interval is None:
            interval = self.locate(x)
        return self.slope.take(interval), self.bias.take(interval)

    def formulas(self, variable: str) -> list[str]:
        """A line of text an interval, ``1.2 x - 0.1 for -1 <= x < 0``."""
        lines = []
        for i, (left, right) in enumerate(pairwise(self.edges.tolist())):
            slope, bias = self.slope[i].item(), self.bias[i].item()
            below = '<' if i + 1 < self.num_intervals else '<='
            lines.append(
                f'{slope:.4g} {variable} {"-" if bias < 0 else "+"} {abs(bias):.4g} '
                f'for {left:.4g} <= {variable} {below} {right:.4g}'
            )
        return lines

    def __call__(self, x: Tensor) -> Tensor:
        """The function's value at each x (same shape)."""
        slope, bias = self.tangent(x)
        return slope * x + bias


@cache
def even_edges(lower: float, upper: float, num_intervals: int, device: torch.device) -> Tensor:
    """(M + 1,) end points of even intervals; made once a device, and not to be written to."""
    return torch.linspace(lower, upper, num_intervals + 1, device=device)


@cache
def inner_edges(lower: float, upper: float, num_intervals: int, device: torch.device) -> Tensor:
    """(M - 1,) those between two intervals; made once a device, and not to be written to."""
    return even_edges(lower, upper, num_intervals, device)[1:-1]
