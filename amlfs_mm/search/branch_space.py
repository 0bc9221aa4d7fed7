"""Several losses searched at once: the product of a search space with itself."""

from __future__ import annotations

from collections import namedtuple
from typing import NamedTuple

import torch
from torch import Tensor

from .piecewise_linear import PiecewiseLinear
from .search_space import MIN_SLOPE, SearchSpace


class BranchSearchSpace:
    """A theta for each of K branches, one after another: K times the dimension.

    Args:
        space: Of one branch.
        num_branches: K.
    """

    def __init__(self, space: SearchSpace, num_branches: int) -> None:
        if num_branches < 1:
            raise ValueError(f'num_branches must be >= 1, got {num_branches}')
        self.space = space
        self.num_branches = num_branches

    @property
    def dim(self) -> int:
        """The length of theta, K D."""
        return self.num_branches * self.space.dim

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.space!r}, num_branches={self.num_branches})'

    def branches(self, theta: Tensor) -> Tensor:
        """Each branch's theta: theta (K D,) as (K, D).

        Raises:
            ValueError: theta has another length.
        """
        if theta.shape != (self.dim,):
            raise ValueError(
                f'theta has shape {tuple(theta.shape)}, but {self} needs ({self.dim},)'
            )
        return theta.view(self.num_branches, self.space.dim)

    def split(self, theta: Tensor) -> NamedTuple:
        """The blocks of all branches, named ``t_slope_0`` and so on."""
        blocks = {
            f'{name}_{i}': block
            for i, branch in enumerate(self.branches(theta))
            for name, block in self.space.split(branch)._asdict().items()
        }
        return namedtuple('BranchParts', blocks)(**blocks)

    def transforms(
        self, theta: Tensor, min_slope: float = MIN_SLOPE
    ) -> tuple[PiecewiseLinear, PiecewiseLinear]:
        """t and tau of the mean of the branches' thetas: what there is to draw as one curve."""
        return self.space.transforms(self.branches(theta).mean(0), min_slope)

    def identity(self) -> Tensor:
        """Plain softmax in every branch."""
        return self.space.identity().repeat(self.num_branches)

    def known_loss(self, name: str, **params: float) -> Tensor:
        """The same hand-made loss in every branch; as :meth:`SearchSpace.known_loss`."""
        return torch.cat([self.space.known_loss(name, **params)] * self.num_branches)
