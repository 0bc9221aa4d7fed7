"""Re-ranking by k-reciprocal neighbours (Zhong et al., CVPR 2017), in blocks and sparse.

The published code keeps several dense matrices of all images by all images. Here only a block of
distances is in memory at a time. What is kept are the nearest neighbours of each image and its few
non-zero weights.

Shapes: Q queries, G gallery images, N = Q + G of both, E non-zero weights.
"""

from __future__ import annotations

from numbers import Integral
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .distances import squared_euclidean


class Weights(NamedTuple):
    """A sparse (N, N) matrix of the weights of images at other images, by row and column."""

    row: Tensor
    """(E,)."""
    column: Tensor
    """(E,)."""
    value: Tensor
    """(E,)."""


def k_reciprocal_rerank(
    query_features: np.ndarray | Tensor,
    gallery_features: np.ndarray | Tensor,
    k1: int = 20,
    k2: int = 6,
    lambda_value: float = 0.3,
    block_elements: int = 1 << 24,
) -> np.ndarray | Tensor:
    """The re-ranked distance (Q, G) of queries to gallery images.

    It is ``(1 - lambda) J + lambda d``. d is the squared Euclidean distance, divided by the image's
    largest. J is made in five steps:

    1. Find the k1-reciprocal neighbours of each image: those among its k1 nearest that have it
       among their own.
    2. Each neighbour adds its own k1/2-reciprocal neighbours, if more than two thirds of them are
       in the set.
    3. Each member weighs exp(-d). An image's weights sum to 1.
    4. An image's weights become the mean over its k2 nearest, itself included.
    5. J is the Jaccard distance of two images' weights.

    It is what the published Python code and torchreid's ``re_ranking`` give for unsquared Euclidean
    distances (they square what they get). Equal distances rank in the order queries, gallery.

    Args:
        query_features: (Q, D), an array or a tensor on any device; float64 is kept.
        gallery_features: (G, D), of the same kind.
        k1: Neighbours of an image; at most N - 1 exist.
        k2: Neighbours over which its weights are averaged; 1: none but itself.
        lambda_value: Share of the original distance, in [0, 1].
        block_elements: Elements of the dense matrices in memory at a time. It does not change the
            result.

    Returns:
        (Q, G), an array if the query features are one.

    Raises:
        ValueError: A shape or parameter does not fit, the gallery is empty, or a feature is not
            finite.
    """
    query, gallery = torch.as_tensor(query_features), torch.as_tensor(gallery_features)
    _check(query, gallery, k1, k2, lambda_value)
    features = torch.cat([query, gallery.to(query)])
    if features.dtype != torch.float64:
        features = features.float()
    num_queries, n = len(query), len(features)
    # An image is the first of its own neighbours. np.around and round both go to even halves.
    nearest, scale, distance = _nearest(
        features, min(max(k1 + 1, k2), n), num_queries, block_elements
    )
    pairs = _reciprocal_pairs(nearest[:, : k1 + 1], round(k1 / 2) + 1, block_elements)
    weights = _neighbourhood_weights(features, scale, pairs, block_elements)
    if k2 > 1:
        weights = _average_over_nearest(weights, nearest[:, :k2])
    jaccard = _jaccard_distance(weights, n, num_queries, block_elements)
    result = distance.mul_(lambda_value).add_(jaccard, alpha=1 - lambda_value)
    return result.numpy() if isinstance(query_features, np.ndarray) else result


def _check(query: Tensor, gallery: Tensor, k1: int, k2: int, lambda_value: float) -> None:
    if query.ndim != 2 or gallery.ndim != 2 or query.shape[1] != gallery.shape[1]:
        raise ValueError(
            'features must be (queries, D) and (gallery images, D), got '
            f'{tuple(query.shape)} and {tuple(gallery.shape)}'
        )
    if not len(query) or not len(gallery):
        raise ValueError(
            f'there is nothing to rank: {len(query)} queries, {len(gallery)} gallery images'
        )
    whole = isinstance(k1, Integral) and isinstance(k2, Integral)
    if not whole or k1 < 1 or k2 < 1 or not 0 <= lambda_value <= 1:
        raise ValueError(
            'k1 and k2 are whole numbers from 1 and lambda_value is in [0, 1]; got '
            f'k1={k1}, k2={k2}, lambda_value={lambda_value}'
        )
    for name, features in (('query', query), ('gallery', gallery)):
        if not torch.isfinite(features).all():
            raise ValueError(f'the {name} features are not all finite')


def _nearest(
    features: Tensor, k: int, num_queries: int, block_elements: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Each image's k nearest, its largest squared distance, and the queries' distances.

    Returns:
        (N, k) the nearest, with the image itself; (N,) the largest squared distance; (Q, G) the
        queries' squared distances to the gallery, divided by the query's largest.
    """
    n = len(features)
    neighbours = torch.empty(n, k, dtype=torch.int64, device=features.device)
    scale = features.new_empty(n)
    to_gallery = features.new_empty(num_queries, n - num_queries)
    rows = max(1, block_elements // n)
    for start in range(0, n, rows):
        block = slice(start, min(start + rows, n))
        squared = squared_euclidean(features[block], features)
        own = torch.arange(block.start, block.stop, device=features.device)
        squared[own - start, own] = 0  # exactly; the matrix product rounds
        neighbours[block] = _smallest(squared, k)
        # All images may be one and the same.
        scale[block] = squared.amax(1).clamp(min=torch.finfo(squared.dtype).tiny)
        queries = slice(start, min(block.stop, num_queries))
        if queries.stop > queries.start:
            count = queries.stop - queries.start
            part = squared[:count, num_queries:]
            torch.div(part, scale[queries, None], out=to_gallery[queries])
    return neighbours, scale, to_gallery


def _smallest(values: Tensor, k: int) -> Tensor:
    """Columns (R, k) of each row's k smallest values (R, C), ascending, equals in column order."""
    smallest, column = values.topk(k, largest=False)
    # topk takes any of several values equal to its last one. Sort the rows where it could choose.
    choice = ((values <= smallest[:, -1:]).sum(1) > k).nonzero().squeeze(1)
    if len(choice):
        smallest[choice], order = (part[:, :k] for part in values[choice].sort(dim=1, stable=True))
        column[choice] = order
    column, order = column.sort(dim=1)
    order = smallest.gather(1, order).argsort(dim=1, stable=True)
    return column.gather(1, order)


def _reciprocal_pairs(neighbours: Tensor, half: int, block_elements: int) -> Tensor:
    """The pairs (E, 2), sorted, of an image and a member of its expanded neighbourhood R*."""
    mutual = _is_mutual(neighbours)  # (N, k): R(i) = neighbours[i][mutual[i]]
    near = neighbours[:, :half]
    near_mutual = _is_mutual(near)
    n, k = neighbours.shape
    keys = []
    rows = max(1, block_elements // (k * k * half))
    for start in range(0, n, rows):
        block = slice(start, min(start + rows, n))
        own = torch.arange(block.start, block.stop, device=neighbours.device)
        member, real = neighbours[block], mutual[block]
        keys.append((own[:, None] * n + member)[real])
        # Each reciprocal neighbour's half-neighbourhood (R, k, half) joins if it overlaps enough.
        candidate, inside = near[member], near_mutual[member]
        shared = (candidate[..., None] == member[:, None, None]) & real[:, None, None]
        overlap = (shared.any(3) & inside).sum(2)
        joins = real & (3 * overlap > 2 * inside.sum(2))
        keys.append((own[:, None, None] * n + candidate)[joins[..., None] & inside])
    key = torch.cat(keys).unique()
    return torch.stack([key // n, key % n], dim=1)


def _is_mutual(neighbours: Tensor) -> Tensor:
    """Whether each image is among its neighbour's neighbours too, (N, k) bool."""
    own = torch.arange(len(neighbours), device=neighbours.device)
    columns = [
        (neighbours[neighbours[:, i]] == own[:, None]).any(1) for i in range(neighbours.shape[1])
    ]
    return torch.stack(columns, dim=1)


def _neighbourhood_weights(
    features: Tensor, scale: Tensor, pairs: Tensor, block_elements: int
) -> Weights:
    """exp(-d) at the pairs, each image's divided by their sum."""
    row, column = pairs.unbind(1)
    value = features.new_empty(len(pairs))
    step = max(1, block_elements // features.shape[1])
    for start in range(0, len(pairs), step):
        part = slice(start, start + step)
        squared = (features[row[part]] - features[column[part]]).square_().sum(1)
        value[part] = (-squared / scale[row[part]]).exp()
    total = value.new_zeros(len(features)).index_add_(0, row, value)
    return Weights(row, column, value / total[row])


def _average_over_nearest(weights: Weights, nearest: Tensor) -> Weights:
    """Each image's weights as the mean of those of its nearest (N, k2)."""
    n, k2 = nearest.shape
    count = torch.bincount(weights.row, minlength=n)
    source = nearest.flatten()
    entry = _entries((count.cumsum(0) - count)[source], count[source])
    own = torch.arange(n, device=nearest.device).repeat_interleave(k2)
    key = own.repeat_interleave(count[source]) * n + weights.column[entry]
    # Several of the nearest have weights at the same place.
    key, place = key.unique(return_inverse=True)
    total = weights.value.new_zeros(len(key)).index_add_(0, place, weights.value[entry])
    return Weights(key // n, key % n, total / k2)


def _entries(first: Tensor, count: Tensor) -> Tensor:
    """The numbers first, first + 1, ... of each run (R,), ``count`` of them, run after run."""
    behind = (first - (count.cumsum(0) - count)).repeat_interleave(count)
    return behind + torch.arange(len(behind), device=count.device)


def _jaccard_distance(weights: Weights, n: int, num_queries: int, block_elements: int) -> Tensor:
    """1 - sum of minima / sum of maxima of two images' weights: (Q, G), queries to gallery.

    A row sums to 1, so that the maxima sum to 2 - the minima.
    """
    row, column, value = weights
    # By column, the gallery images alone: who else has weight at this neighbour.
    of_gallery = row >= num_queries
    order = column[of_gallery].argsort(stable=True)
    other, other_value = row[of_gallery][order] - num_queries, value[of_gallery][order]
    count = torch.bincount(column[of_gallery], minlength=n)
    first = count.cumsum(0) - count

    distance = value.new_empty(num_queries, n - num_queries)
    queries = int((row < num_queries).sum())  # entries are sorted by row
    cost = count[column[:queries]].cumsum(0)
    edges = torch.searchsorted(row[:queries].contiguous(), torch.arange(num_queries + 1).to(row))
    start = 0
    while start < num_queries:
        # As many queries as keep both the dense sums and the list of shared neighbours in a block.
        spent = cost[edges[start] - 1] if edges[start] > 0 else 0
        fits = int(torch.searchsorted(cost, spent + block_elements, right=True))
        stop = int(torch.searchsorted(edges, fits, right=True)) - 1
        stop = max(start + 1, min(stop, start + block_elements // (n - num_queries), num_queries))
        entry = torch.arange(int(edges[start]), int(edges[stop]), device=row.device)
        shared = _entries(first[column[entry]], count[column[entry]])
        entry = entry.repeat_interleave(count[column[entry]])
        minimum = torch.minimum(value[entry], other_value[shared])
        sums = value.new_zeros(stop - start, n - num_queries)
        place = (row[entry] - start) * (n - num_queries) + other[shared]
        sums.view(-1).index_add_(0, place, minimum)
        distance[start:stop] = 1 - sums / (2 - sums)
        start = stop
    return distance
