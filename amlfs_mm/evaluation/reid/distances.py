"""Distances between rows of features, as person re-identification compares them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

DISTANCES = ('cosine', 'euclidean')
"""The kinds of distance."""


def pairwise_distance(one: Tensor, other: Tensor, kind: str = 'euclidean') -> Tensor:
    """The distance (N, M) of every row of one (N, D) to every row of another (M, D).

    Args:
        one: (N, D).
        other: (M, D).
        kind: ``cosine``: 1 - cos, in [0, 2]. ``euclidean``: the length of the difference, not
            squared.

    Raises:
        ValueError: An unknown kind, or rows of different length.
    """
    check_kind(kind)
    if one.ndim != 2 or other.ndim != 2 or one.shape[1] != other.shape[1]:
        raise ValueError(
            f'features must be (N, D) and (M, D), got {tuple(one.shape)} and {tuple(other.shape)}'
        )
    if kind == 'cosine':
        return 1 - F.normalize(one) @ F.normalize(other).T
    return squared_euclidean(one, other).sqrt_()


def squared_euclidean(one: Tensor, other: Tensor) -> Tensor:
    """The squared Euclidean distances (N, M), never negative, as one matrix product."""
    lengths = one.square().sum(1)[:, None] + other.square().sum(1)
    return lengths.addmm_(one, other.T, alpha=-2).clamp_(min=0)


def check_kind(kind: str) -> None:
    """A kind of distance is one of ``DISTANCES``.

    Raises:
        ValueError: There is no such kind.
    """
    if kind not in DISTANCES:
        raise ValueError(f'distance must be one of {list(DISTANCES)}, got {kind!r}')


def unit_features(features: Tensor) -> Tensor:
    """Rows of length 1 (N, D). Euclidean and cosine distance between them rank alike."""
    return F.normalize(torch.as_tensor(features))
