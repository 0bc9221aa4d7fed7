"""Several losses searched at once: the product of a search space with itself."""

from __future__ import annotations

from collections import namedtuple

import torch
from torch import Tensor

from . import protocols
from .search_space import MIN_SLOPE


class BranchSearchSpace:
    """The space of K losses, one for each branch of a model: theta is their K thetas in a row.

    Args:
        space: The space of one branch.
        num_branches: K.

    Raises:
        ValueError: num_branches is below 1.
    """

    def __init__(self, space: protocols.SearchSpace, num_branches: int) -> None:
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
        """theta (K D,) as (K, D), a row for each branch.

        Raises:
            ValueError: theta has another length.
        """
        if theta.shape != (self.dim,):
            raise ValueError(
                f'theta has shape {tuple(theta.shape)}, but {self} needs ({self.dim},)'
            )
        return theta.view(self.num_branches, self.space.dim)

    def split(self, theta: Tensor) -> tuple[Tensor, ...]:
        """The blocks of all branches, a named tuple: ``t_slope_0`` and so on.

        Raises:
            ValueError: theta has another length.
        """
        blocks: dict[str, Tensor] = {}
        for i, branch in enumerate(self.branches(theta)):
            for name, block in self.space.split(branch)._asdict().items():
                blocks[f'{name}_{i}'] = block
        return namedtuple('BranchParts', tuple(blocks))(**blocks)

    def transforms(
        self, theta: Tensor, min_slope: float = MIN_SLOPE
    ) -> tuple[protocols.Transform, protocols.Transform]:
        """t and tau of the mean of the branches' thetas, for plots that draw one curve.

        A loss takes the transforms of each branch instead: see :meth:`branches`.
        """
        return self.space.transforms(self.branches(theta).mean(0), min_slope)

    def identity(self) -> Tensor:
        """Plain softmax in every branch."""
        return self.space.identity().repeat(self.num_branches)

    def known_loss(self, name: str, **params: float) -> Tensor:
        """The same hand-made loss in every branch.

        Raises:
            ValueError: The space of one branch does not have it.
        """
        return torch.cat([self.space.known_loss(name, **params)] * self.num_branches)
