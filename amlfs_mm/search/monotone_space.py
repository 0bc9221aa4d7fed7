"""A search space in which t and tau of every theta increase everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from .piecewise_linear import CeiledLinear, PiecewiseLinear
from .search_space import MIN_SLOPE, SearchSpace


class MonotoneParts(NamedTuple):
    """The four blocks of theta."""

    t_slope: Tensor
    """(M,) The slopes of t."""
    t_step: Tensor
    """(M,) ``t(-1) + 1``, then the jumps of t at the inner edges."""
    tau_slope: Tensor
    """(M,) The slopes of tau."""
    tau_step: Tensor
    """(M - 1,) The jumps of tau at the inner edges."""


class MonotoneSearchSpace(SearchSpace):
    """Piecewise-linear t and tau (Eq. 17) with positive slopes, no downward jump and tau(0) = 0.

    The paper asks for "any function with positive gradient" (Eq. 15). In its space the biases are
    independent, so most samples jump down at some edge, and tau may be negative. Here theta is
    ``[t_slope (M), t_step (M), tau_slope (M), tau_step (M - 1)]``. The first step gives
    ``t(-1) = -1 + t_step[0]``. The other steps are the jumps at the inner edges. A negative jump
    counts as 0, and a slope below min_slope counts as min_slope. The policy learns from the raw
    sample. Not in the paper.

    A known loss is fitted from left to right through its values at the edges. The fit is exact at
    the edges wherever the loss increases.

    Args:
        num_intervals: M.
        ceiling: As in :class:`SearchSpace`.
        searched: As in :class:`SearchSpace`.
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
        """theta (D,) as the increasing functions ``(t, tau)``."""
        parts = self.split(self.with_identity(theta))
        t_slope, tau_slope = (s.clamp(min=min_slope) for s in (parts.t_slope, parts.tau_slope))
        t = climb(t_slope, parts.t_step[0] - 1, parts.t_step[1:], -1.0, 1.0)
        if self.ceiling:
            t = CeiledLinear(t.slope, t.bias, t.lower, t.upper)
        tau = climb(tau_slope, torch.zeros_like(tau_slope[0]), parts.tau_step, 0.0, 1.0)
        return t, tau

    def identity(self) -> Tensor:
        """Plain softmax: slopes 1, steps 0."""
        one, zero = torch.ones(self.num_intervals), torch.zeros(self.num_intervals)
        return torch.cat([one, zero, one, zero[1:]])

    def known_loss(self, name: str, **params: float) -> Tensor:
        """A hand-made loss as a theta (D,), as in :meth:`SearchSpace.known_loss`.

        Raises:
            ValueError: An unknown name, parameters that do not fit it, or ``robust``: its
                ``tau(0) = b`` is not 0.
        """
        if name == 'robust' and params.get('b'):
            raise ValueError(
                f'{self} has tau(0) = 0, but robust has tau(0) = b: use SearchSpace for it'
            )
        return super().known_loss(name, **params)

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
    """The piecewise-linear function with these slopes, value at the left end, and jumps.

    Args:
        slope: (M,), positive.
        start: The value at the left end, a scalar.
        steps: (M - 1,) the jumps at the inner edges. A negative one counts as 0.
        lower: Left end of the domain.
        upper: Right end of the domain.
    """
    inner = torch.linspace(lower, upper, len(slope) + 1, device=slope.device)[1:-1]
    # At an inner edge the two lines differ by the jump.
    rise = (slope[:-1] - slope[1:]) * inner + steps.clamp(min=0)
    first = (start - slope[0] * lower)[None]
    return PiecewiseLinear(slope, torch.cat([first, first + rise.cumsum(0)]), lower, upper)
