"""Search-Softmax's space: one number (Wang et al., "Loss Function Search for Face Recognition")."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .piecewise_linear import PiecewiseLinear

LOWEST = -9.0
"""The least a. A sample's weight is 1 - a at most, and the head's floor of tau bounds it by 10."""


class SearchSoftmaxParts(NamedTuple):
    """The one block of theta."""

    a: Tensor
    """(1,) The parameter a of ``p_m``."""


class SearchSoftmaxSpace:
    """``-log p_m`` with ``p_m = p / (a p + 1 - a)``, a <= 0 (ICML 2020).

    theta is ``[a]``. A positive a counts as 0, plain softmax. An a below -9 counts as -9. The
    policy learns from the raw sample, so mu can move from 0 to either side. (The published code
    starts at 0 and takes the ReLU of the mean. Its gradient there is 0, so it never moves.) t is
    the identity.
    """

    dim = 1
    """The length of theta."""

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'

    def split(self, theta: Tensor) -> SearchSoftmaxParts:
        """theta (1,) as its block.

        Raises:
            ValueError: theta has another length.
        """
        if theta.shape != (1,):
            raise ValueError(f'theta has shape {tuple(theta.shape)}, but {self} needs (1,)')
        return SearchSoftmaxParts(theta)

    def transforms(
        self, theta: Tensor, min_slope: float = 0.0
    ) -> tuple[PiecewiseLinear, SearchSoftmaxProbability]:
        """theta (1,) as ``(t, tau)``. min_slope has no effect: tau's slopes are positive."""
        a = self.split(theta).a.clamp(LOWEST, 0)
        one = torch.ones_like(a)
        return PiecewiseLinear(one, torch.zeros_like(a), -1.0, 1.0), SearchSoftmaxProbability(a)

    def identity(self) -> Tensor:
        """Plain softmax, a = 0."""
        return torch.zeros(1)

    def known_loss(self, name: str, **params: float) -> Tensor:
        """``softmax``, or ``search_softmax`` with ``a``.

        Raises:
            ValueError: Another loss, or a outside [-9, 0].
        """
        if name == 'softmax' and not params:
            return self.identity()
        if name != 'search_softmax' or set(params) != {'a'} or not LOWEST <= params['a'] <= 0:
            raise ValueError(
                f"{self} has 'softmax' and dict(name='search_softmax', a=-1.0), a from {LOWEST:g} "
                f'to 0; got {name!r} with {params}'
            )
        return torch.tensor([float(params['a'])])


class SearchSoftmaxProbability:
    """The smooth tau(p) = p / (a p + 1 - a), given by its tangent lines. It has one interval.

    Args:
        a: (1,), not positive.
    """

    num_intervals = 1
    """M."""

    def __init__(self, a: Tensor) -> None:
        self.a = a

    @property
    def edges(self) -> Tensor:
        """(2,) 0 and 1."""
        return torch.tensor([0.0, 1.0], device=self.a.device)

    def locate(self, x: Tensor) -> Tensor:
        """The interval of each value: 0."""
        return torch.zeros_like(x, dtype=torch.int64)

    def tangent(self, x: Tensor, interval: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Slope and bias at each value, both of x's shape. ``interval`` is not needed."""
        x = x.detach()
        denominator = self.a * x + 1 - self.a
        return (1 - self.a) / denominator**2, self.a * (x / denominator) ** 2

    def __call__(self, x: Tensor) -> Tensor:
        """The function's value at each x (same shape)."""
        return x / (self.a * x + 1 - self.a)

    def formulas(self, variable: str) -> list[str]:
        """The function as text, one line."""
        a = self.a.item()
        return [f'{variable} / ({a:.4g} {variable} + {1 - a:.4g}) for 0 <= {variable} <= 1']
