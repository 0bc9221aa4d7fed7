"""Piecewise-linear functions: the paper's candidate set for t and tau (Eq. 17)."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import torch
from torch import Tensor


class PiecewiseLinear:
    """``slope_i * x + bias_i`` on M equal intervals (Eq. 17).

    Slopes and biases of the intervals are independent, so the function may jump at an inner edge.
    A value on an inner edge belongs to the upper interval. A value outside ``[lower, upper]``, as
    rounding gives, belongs to the nearest interval.

    Args:
        slope: (M,) a_i.
        bias: (M,) b_i.
        lower: Left end of the domain, zeta_0.
        upper: Right end of the domain, zeta_M.

    Raises:
        ValueError: slope and bias are not vectors of one length.
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
        """M."""
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

        A loss needs nothing else: the value is ``slope * x + bias`` and the derivative ``slope``.

        Args:
            x: The values.
            interval: ``locate(x)``, if the caller has it.
        """
        if interval is None:
            interval = self.locate(x)
        return self.slope.take(interval), self.bias.take(interval)

    def formulas(self, variable: str) -> list[str]:
        """The function as text, one line an interval: ``1.2 x - 0.1 for -1 <= x < 0``."""
        lines = []
        for i, (left, right) in enumerate(pairwise(self.edges.tolist())):
            below = '<' if i + 1 < self.num_intervals else '<='
            lines.append(
                f'{self._formula(i, variable)} for {left:.4g} <= {variable} {below} {right:.4g}'
            )
        return lines

    def _formula(self, interval: int, variable: str) -> str:
        slope, bias = self.slope[interval].item(), self.bias[interval].item()
        return f'{slope:.4g} {variable} {"-" if bias < 0 else "+"} {abs(bias):.4g}'

    def __call__(self, x: Tensor) -> Tensor:
        """The function's value at each x (same shape)."""
        slope, bias = self.tangent(x)
        return slope * x + bias


class CeiledLinear(PiecewiseLinear):
    """``min(slope_i * x + bias_i, x)`` on M equal intervals: never above the identity.

    Arguments and intervals are those of :class:`PiecewiseLinear`.
    """

    def tangent(self, x: Tensor, interval: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Slope and bias at each value: 1 and 0 where the line lies above x."""
        slope, bias = super().tangent(x, interval)
        x = x.detach()
        above = slope * x + bias > x
        return slope.masked_fill(above, 1), bias.masked_fill(above, 0)

    def _formula(self, interval: int, variable: str) -> str:
        return f'min({super()._formula(interval, variable)}, {variable})'


@cache
def even_edges(lower: float, upper: float, num_intervals: int, device: torch.device) -> Tensor:
    """(M + 1,) The end points of M even intervals. A cached tensor: do not write to it."""
    return torch.linspace(lower, upper, num_intervals + 1, device=device)


@cache
def inner_edges(lower: float, upper: float, num_intervals: int, device: torch.device) -> Tensor:
    """(M - 1,) The edges between two intervals. A cached tensor: do not write to it."""
    return even_edges(lower, upper, num_intervals, device)[1:-1]
