"""A search space in which every point is a legal loss: t and tau increase everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from .piecewise_linear import PiecewiseLinear
from .search_space import MIN_SLOPE, SearchSpace


class MonotoneParts(NamedTuple):
    """The four blocks of theta: M, M, M and M - 1 numbers."""

    t_slope: Tensor
    t_step: Tensor
    tau_slope: Tensor
    tau_step: Tensor


class MonotoneSearchSpace(SearchSpace):
    """Piecewise-linear t and tau (Eq. 17) with positive slopes, no downward jump and tau(0) = 0.

    The paper asks for "any function with positive gradient" (Eq. 15), but independent biases let
    most samples of its space fall at some edge, and tau be negative. Here theta is ``[t_slope (M),
    t_step (M), tau_slope (M), tau_step (M - 1)]``: ``t(-1) = -1 + t_step[0]``; the other steps are
    jumps at the inner edges, of which a negative one counts as 0, as a slope below min_slope counts
    as that. The score function belongs to the raw sample. Not in the paper.

    Known losses are fitted from left to right through their values at the edges: exact there
    wherever the loss increases.
    """

    @property
    def dim(self) -> int:
        """The length D of theta, 4M - 1."""
        return 4 * self.num_intervals - 1

    def split(self, theta: Tensor) -> MonotoneParts:
        """The blocks of theta (D,) as views.

        Raises:
            ValueError: theta is not a vector of this space's length.
        """
        if theta.shape != (self.dim,):
            raise ValueError(
                f'theta has shape {tuple(theta.shape)}, but {self} needs ({self.dim},)'
            )
        m = self.num_intervals
        return MonotoneParts(*theta.split([m, m, m, m - 1]))

    def transforms(
        self, theta: Tensor, min_slope: float = MIN_SLOPE
    ) -> tuple[PiecewiseLinear, PiecewiseLinear]:
        """theta (D,) as the two increasing functions ``(t, tau)``."""
        parts = self.split(theta)
        t_slope, tau_slope = (s.clamp(min=min_slope) for s in (parts.t_slope, parts.tau_slope))
        t = climb(t_slope, parts.t_step[0] - 1, parts.t_step[1:], -1.0, 1.0)
        tau = climb(tau_slope, torch.zeros_like(tau_slope[0]), parts.tau_step, 0.0, 1.0)
        return t, tau

    def identity(self) -> Tensor:
        """Plain softmax: slopes 1, steps 0."""
        one, zero = torch.ones(self.num_intervals), torch.zeros(self.num_intervals)
        return torch.cat([one, zero, one, zero[1:]])

    def _fit(self, function: Callable[[Tensor], Tensor], place: str) -> Tensor:
        theta = self.identity()
        parts = self.split(theta)
        lower, slope = (-1.0, parts.t_slope) if place == 't' else (0.0, parts.tau_slope)
        edges = torch.linspace(lower, 1, self.num_intervals + 1, dtype=torch.float64)
        value, *following = function(edges).tolist()
        if place == 't':
            parts.t_step[0] = value + 1
        width = (1 - lower) / self.num_intervals
        for i, wanted in enumerate(following):
            slope[i] = max((wanted - value) / width, MIN_SLOPE)
            value += slope[i].item() * width
        return theta


def climb(
    slope: Tensor, start: Tensor, steps: Tensor, lower: float, upper: float
) -> PiecewiseLinear:
    """The function with these slopes (M,) and the value ``start`` at the left end.

    Args:
        slope: (M,), positive.
        start: Scalar.
        steps: (M - 1,) jumps at the inner edges; negative ones count as 0.
        lower: Left end of the domain.
        upper: Right end of the domain.
    """
    inner = torch.linspace(lower, upper, len(slope) + 1, device=slope.device)[1:-1]
    # Both lines meet at an edge, but for the jump.
    rise = (slope[:-1] - slope[1:]) * inner + steps.clamp(min=0)
    first = (start - slope[0] * lower)[None]
    return PiecewiseLinear(slope, torch.cat([first, first + rise.cumsum(0)]), lower, upper)
