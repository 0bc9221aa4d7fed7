"""The search space: theta and the pair of transforms (t, tau) that it stands for (section 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from . import known_losses
from .piecewise_linear import PiecewiseLinear

MIN_SLOPE = 0.01
"""t and tau are "any function with positive gradient" (Eq. 15): a smaller slope counts as this."""


class ThetaParts(NamedTuple):
    """The four blocks of theta, each (M,)."""

    t_slope: Tensor
    t_bias: Tensor
    tau_slope: Tensor
    tau_bias: Tensor


class SearchSpace:
    """Piecewise-linear t on [-1, 1] and tau on [0, 1], M even intervals each (Eq. 17).

    theta is the flat vector ``[t_slope (M), t_bias (M), tau_slope (M), tau_bias (M)]`` of the
    paper's section 3.3, 4M = 24 numbers by default.

    Another space is a class with this one's ``dim``, ``split`` (a named tuple of blocks),
    ``identity``, ``known_loss`` and ``transforms``, registered in
    ``amlfs_mm.registry.TASK_UTILS``. Files name a space by its ``repr``: the call that makes it.

    Args:
        num_intervals: M.
    """

    def __init__(self, num_intervals: int = 6) -> None:
        if not isinstance(num_intervals, int) or num_intervals < 1:
            raise ValueError(f'num_intervals must be a whole number >= 1, got {num_intervals!r}')
        self.num_intervals = num_intervals

    @property
    def dim(self) -> int:
        """The length D of theta."""
        return 4 * self.num_intervals

    def __repr__(self) -> str:
        return f'{type(self).__name__}(num_intervals={self.num_intervals})'

    def split(self, theta: Tensor) -> ThetaParts:
        """The blocks of theta (D,) as views.

        Raises:
            ValueError: theta is not a vector of this space's length.
        """
        if theta.shape != (self.dim,):
            raise ValueError(
                f'theta has shape {tuple(theta.shape)}, but {self} needs ({self.dim},): M slopes '
                'and M biases of t, then of tau'
            )
        return ThetaParts(*theta.split(self.num_intervals))

    def transforms(
        self, theta: Tensor, min_slope: float = MIN_SLOPE
    ) -> tuple[PiecewiseLinear, PiecewiseLinear]:
        """theta (D,) as the two functions ``(t, tau)``, slopes clamped to at least min_slope."""
        parts = self.split(theta)
        t = PiecewiseLinear(parts.t_slope.clamp(min=min_slope), parts.t_bias, -1.0, 1.0)
        tau = PiecewiseLinear(parts.tau_slope.clamp(min=min_slope), parts.tau_bias, 0.0, 1.0)
        return t, tau

    def identity(self) -> Tensor:
        """The theta of t(x) = x and tau(p) = p, plain softmax: slopes 1, biases 0."""
        one, zero = torch.ones(self.num_intervals), torch.zeros(self.num_intervals)
        return torch.cat([one, zero, one, zero])

    def known_loss(self, name: str, **params: float) -> Tensor:
        """A hand-made loss as a point theta (D,) of this space (Fig. 1).

        Exact for ``softmax`` and ``am_softmax(m)``. The others get the line of least maximum error
        on every interval; the largest error with M = 6 is 0.062 for ``arcface(m=0.5)``, 0.028 and
        0.347 for ``l_softmax`` / ``a_softmax`` with m = 2 and 4, 0.008 and 0.016 for ``focal`` with
        alpha = 1 and 2 (its first interval runs through the origin, so that tau(0) = 0).

        Args:
            name: ``softmax``, ``am_softmax``, ``arcface``, ``l_softmax``, ``a_softmax``, ``focal``.
            params: The loss's own parameter: ``m``, or ``alpha`` for the focal loss.

        Raises:
            ValueError: An unknown name, or parameters that do not fit it.
        """
        if name == 'softmax' and not params:
            return self.identity()
        if name not in known_losses.FAMILIES:
            raise ValueError(
                f"unknown loss {name!r} with {params}; known are 'softmax' (no parameter), "
                + ', '.join(f'{key!r} ({value[0]})' for key, value in known_losses.FAMILIES.items())
            )
        parameter, function, place = known_losses.FAMILIES[name]
        if set(params) != {parameter}:
            raise ValueError(
                f'known_loss({name!r}) takes exactly {parameter}=..., got {sorted(params)}'
            )
        value = params[parameter]
        if name in ('l_softmax', 'a_softmax') and (value != int(value) or value < 1):
            raise ValueError(f'{name} is defined for whole m >= 1, got m={value}')
        return self._fit(partial(function, **params), place)

    def _fit(self, function: Callable[[Tensor], Tensor], place: str) -> Tensor:
        theta = self.identity()
        parts = self.split(theta)
        lower, upper = (-1.0, 1.0) if place == 't' else (0.0, 1.0)
        slope, bias = (
            (parts.t_slope, parts.t_bias) if place == 't' else (parts.tau_slope, parts.tau_bias)
        )
        edges = torch.linspace(lower, upper, self.num_intervals + 1, dtype=torch.float64).tolist()
        for i in range(self.num_intervals):
            through_origin = 0.0 if place == 'tau' and i == 0 else None
            slope[i], bias[i] = known_losses.fit_line(
                function, edges[i], edges[i + 1], MIN_SLOPE, through_origin
            )
        return theta
