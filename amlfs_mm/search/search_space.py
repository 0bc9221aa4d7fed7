"""The search space: theta and the pair of transforms (t, tau) that it stands for (section 3.3)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .known_losses import FAMILIES, check_known_loss, fit_line
from .piecewise_linear import CeiledLinear, PiecewiseLinear

MIN_SLOPE = 0.01
"""t and tau are "any function with positive gradient" (Eq. 15): a smaller slope counts as this."""


class ThetaParts(NamedTuple):
    """The four blocks of theta, each (M,)."""

    t_slope: Tensor
    """The slopes a_i of t."""
    t_bias: Tensor
    """The biases b_i of t."""
    tau_slope: Tensor
    """The slopes a_i of tau."""
    tau_bias: Tensor
    """The biases b_i of tau."""


class SearchSpace:
    """Piecewise-linear t on [-1, 1] and tau on [0, 1], M even intervals each (Eq. 17).

    theta is the flat vector ``[t_slope (M), t_bias (M), tau_slope (M), tau_bias (M)]`` of the
    paper's section 3.3, 4M = 24 numbers by default.

    Without a ceiling, this is the paper's space. There, a t with t(x) > x on some interval adds
    ``n (t(x) - x)`` to the target's logit of every sample in it. Features that are all alike then
    reach p = 1 as the norm n grows: a useless model has the least loss. The ceiling
    ``t(x) = min(a x + b, x)`` takes this away: such features keep p <= 1 / C for every theta and
    every n. Softmax and AM-softmax stay exact, and the fits of the others stay as good wherever
    the loss is below x.

    :class:`.protocols.SearchSpace` says what another space needs.

    Args:
        num_intervals: M.
        ceiling: Bound t by the identity. Not in the paper.
        searched: ``'t'`` or ``'tau'``: the other one is the identity, and its numbers in theta have
            no effect. ``'both'``: the paper's.

    Raises:
        ValueError: num_intervals is not a whole number from 1 up, or ``searched`` is none of these.
    """

    def __init__(
        self, num_intervals: int = 6, ceiling: bool = False, searched: str = 'both'
    ) -> None:
        if not isinstance(num_intervals, int) or num_intervals < 1:
            raise ValueError(f'num_intervals must be a whole number >= 1, got {num_intervals!r}')
        if searched not in ('both', 't', 'tau'):
            raise ValueError(f"searched must be 'both', 't' or 'tau', got {searched!r}")
        self.num_intervals = num_intervals
        self.ceiling = bool(ceiling)
        self.searched = searched

    @property
    def dim(self) -> int:
        """The length D of theta."""
        return 4 * self.num_intervals

    def __repr__(self) -> str:
        # Files of spaces without these options name them as they always did.
        ceiling = ', ceiling=True' if self.ceiling else ''
        searched = '' if self.searched == 'both' else f', searched={self.searched!r}'
        return f'{type(self).__name__}(num_intervals={self.num_intervals}{ceiling}{searched})'

    def split(self, theta: Tensor) -> Any:
        """The blocks of theta (D,) as views, :class:`ThetaParts`.

        Raises:
            ValueError: theta does not have the shape (D,).
        """
        if theta.shape != (self.dim,):
            raise ValueError(
                f'theta has shape {tuple(theta.shape)}, but {self} needs ({self.dim},): M slopes '
                'and M biases of t, then of tau'
            )
        return ThetaParts(*theta.split(self.num_intervals))

    def with_identity(self, theta: Tensor) -> Tensor:
        """theta (D,), but with the identity for the one of t and tau that is not searched.

        Raises:
            ValueError: theta does not have the shape (D,).
        """
        self.split(theta)
        if self.searched == 'both':
            return theta
        end_of_t = 2 * self.num_intervals
        identity = self.identity().to(theta)
        if self.searched == 't':
            return torch.cat([theta[:end_of_t], identity[end_of_t:]])
        return torch.cat([identity[:end_of_t], theta[end_of_t:]])

    def transforms(
        self, theta: Tensor, min_slope: float = MIN_SLOPE
    ) -> tuple[PiecewiseLinear, PiecewiseLinear]:
        """theta (D,) as the functions ``(t, tau)``. A slope below min_slope counts as min_slope."""
        parts = self.split(self.with_identity(theta))
        t_type = CeiledLinear if self.ceiling else PiecewiseLinear
        t = t_type(parts.t_slope.clamp(min=min_slope), parts.t_bias, -1.0, 1.0)
        tau = PiecewiseLinear(parts.tau_slope.clamp(min=min_slope), parts.tau_bias, 0.0, 1.0)
        return t, tau

    def identity(self) -> Tensor:
        """The theta of t(x) = x and tau(p) = p, plain softmax: slopes 1, biases 0."""
        one, zero = torch.ones(self.num_intervals), torch.zeros(self.num_intervals)
        return torch.cat([one, zero, one, zero])

    def known_loss(self, name: str, **params: float) -> Tensor:
        """A hand-made loss as a theta (D,) of this space (Fig. 1).

        Exact for ``softmax``, ``am_softmax(m)`` and ``robust(b)``, which is ``-log(p + b)``. The
        others get the line of least maximum error on every interval. With M = 6 the largest error
        is 0.062 for ``arcface(m=0.5)``; 0.028 and 0.347 for ``l_softmax`` and ``a_softmax`` with
        m = 2 and 4; 0.008 and 0.016 for ``focal`` with alpha = 1 and 2. The first interval of
        ``focal`` runs through the origin, so that tau(0) = 0.

        Args:
            name: ``softmax``, ``am_softmax``, ``arcface``, ``l_softmax``, ``a_softmax``, ``focal``
                or ``robust``.
            params: The one parameter of the loss: ``m``, for focal ``alpha``, for robust ``b``.

        Raises:
            ValueError: An unknown name, parameters that do not fit it, a loss that needs the one of
                t and tau that is not searched, or a negative margin under a ceiling.
        """
        if name == 'softmax' and not params:
            return self.identity()
        check_known_loss(name, params)
        _, function, place = FAMILIES[name]
        if self.searched not in ('both', place):
            raise ValueError(f'{self} has not the loss {name!r}: it is made by {place}')
        if self.ceiling and place == 't' and params['m'] < 0:
            raise ValueError(
                f'{self} has not the loss {name!r} with m={params["m"]:g}: its t is above the '
                'identity, where the ceiling makes it plain softmax'
            )
        return self._fit(partial(function, **params), place)

    def _fit(self, function: Callable[[Tensor], Tensor], place: str) -> Tensor:
        theta = self.identity()
        parts = self.split(theta)
        lower, upper = (-1.0, 1.0) if place == 't' else (0.0, 1.0)
        slope, bias = (
            (parts.t_slope, parts.t_bias) if place == 't' else (parts.tau_slope, parts.tau_bias)
        )
        edges = torch.linspace(lower, upper, self.num_intervals + 1, dtype=torch.float64).tolist()
        starts_at_zero = place == 'tau' and function(torch.zeros(())) == 0
        for i in range(self.num_intervals):
            at_zero = 0.0 if starts_at_zero and i == 0 else None
            slope[i], bias[i] = fit_line(function, edges[i], edges[i + 1], MIN_SLOPE, at_zero)
        return theta
