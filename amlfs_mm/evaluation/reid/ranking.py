"""Person re-identification scores from a distance matrix, by Market-1501's protocol.

Only the places of a query's positives in its ranking matter, so only the positives are sorted. For
each positive, the closer gallery images are counted.

Shapes: Q queries, G gallery images, P the largest number of positives of a query.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..common import check_ranks

JUNK = -1
"""Market-1501's label of images that are neither right nor wrong. They are not ranked."""

Numbers = Sequence[int] | np.ndarray | Tensor
"""Whole numbers, one an image."""


class QueryScores(NamedTuple):
    """Scores of every query, each (Q,). A query without positives has NaN (``first_hit``: -1)."""

    average_precision: Tensor
    """Mean of the precisions at the positives, in [0, 1] (torchreid, fast-reid)."""
    average_precision_trapezoid: Tensor
    """Area under the precision-recall curve by trapezoids, in [0, 1] (the data set's Matlab)."""
    inverse_negative_penalty: Tensor
    """Positives / rank of the last of them, in [0, 1] (Ye et al., arXiv 2001.04193)."""
    first_hit: Tensor
    """Rank of the first positive, from 0."""


def reid_metrics(
    distance: np.ndarray | Tensor,
    query_ids: Numbers,
    gallery_ids: Numbers,
    query_cameras: Numbers,
    gallery_cameras: Numbers,
    ranks: Sequence[int] = (1, 5, 10),
) -> dict[str, float]:
    """mAP, mINP and CMC of a person re-identification ranking, in percent.

    Market-1501's protocol (Zheng et al., ICCV 2015). For each query, gallery images of its identity
    from its own camera are not ranked. Junk images (identity -1) are not ranked either. Queries
    without a positive do not count. Equal distances rank in the order of the gallery.

    Args:
        distance: (Q, G), smaller is more alike; an array or a tensor on any device.
        query_ids: (Q,) identities.
        gallery_ids: (G,) identities; 0 (Market-1501's distractors) is an identity as any other.
        query_cameras: (Q,).
        gallery_cameras: (G,).
        ranks: Each k of the CMC curve to give.

    Returns:
        ``mAP``, the mean of the precisions at the positives (torchreid, fast-reid);
        ``mAP_trapezoid`` (the Matlab code of Market-1501), never larger; ``mINP``; and ``rank<k>``
        for each of ``ranks``, the share of queries with a positive among the first k.

    Raises:
        ValueError: A shape does not fit, the gallery is empty, a distance is NaN, a rank is below
            1, or no query has a positive.
    """
    scores = score_queries(distance, query_ids, gallery_ids, query_cameras, gallery_cameras)
    return summarise(scores, ranks)


def score_queries(
    distance: np.ndarray | Tensor,
    query_ids: Numbers,
    gallery_ids: Numbers,
    query_cameras: Numbers,
    gallery_cameras: Numbers,
    block_elements: int = 1 << 22,
) -> QueryScores:
    """The scores of each query; arguments and errors as in :func:`reid_metrics`.

    Args:
        block_elements: Elements of the distance matrix that are scored at a time. It does not
            change the result.
    """
    distance = torch.as_tensor(distance)
    if distance.ndim != 2 or 0 in distance.shape:
        raise ValueError(
            f'distance must be (queries, gallery images), at least one of each; got shape '
            f'{tuple(distance.shape)}'
        )
    q, g = distance.shape
    query_ids = _vector('query_ids', query_ids, q, distance.device)
    query_cameras = _vector('query_cameras', query_cameras, q, distance.device)
    gallery_ids = _vector('gallery_ids', gallery_ids, g, distance.device)
    gallery_cameras = _vector('gallery_cameras', gallery_cameras, g, distance.device)

    real = gallery_ids != JUNK
    if not real.all():
        distance = distance[:, real]
        gallery_ids, gallery_cameras = gallery_ids[real], gallery_cameras[real]
    parts = []
    rows = max(1, block_elements // g)
    for start in range(0, q, rows):
        part = slice(start, start + rows)
        same_id = query_ids[part, None] == gallery_ids
        other_camera = query_cameras[part, None] != gallery_cameras
        hits = rank_positives(distance[part], same_id & other_camera, ~same_id)
        parts.append(_score_hits(hits))
    return QueryScores(*(torch.cat(column) for column in zip(*parts, strict=True)))


def rank_positives(distance: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """The places, from 0, of each query's positives in its ranking of positives and negatives.

    Args:
        distance: (Q, G); equal distances rank in gallery order.
        positive: (Q, G) bool.
        negative: (Q, G) bool; images that are neither are not ranked.

    Returns:
        (Q, P) int64, ascending; -1 after a query's last positive.

    Raises:
        ValueError: A distance is NaN.
    """
    if not distance.is_floating_point():
        distance = distance.double()
    elif distance.dtype.itemsize < 4:
        distance = distance.float()
    if torch.isnan(distance).any():
        raise ValueError('distance has NaN: the features are not finite')

    # The positives' distances (Q, P), ascending; columns start in gallery order and the sort is
    # stable, so equals stay in it. Padding is at infinity, behind a real positive there.
    count = positive.sum(1)
    row, column = positive.nonzero(as_tuple=True)
    place = torch.arange(len(row), device=row.device) - (count.cumsum(0) - count)[row]
    shape = (len(distance), max(1, int(count.max())))
    close = distance.new_full(shape, torch.inf)
    index = torch.full(shape, -1, device=row.device)
    close[row, place] = distance[row, column]
    index[row, place] = column
    close, order = close.sort(dim=1, stable=True)
    index = index.gather(1, order)

    # A negative comes before the positives that are farther than it ...
    slot = torch.searchsorted(close, distance.contiguous(), right=True)
    arrivals = torch.zeros(shape[0], shape[1] + 1, dtype=torch.int32, device=row.device)
    arrivals.scatter_add_(1, slot, negative.to(torch.int32))
    before = arrivals.cumsum(1)[:, :-1]
    # ... and, where the distances are equal, before those that stand behind it in the gallery.
    nearer = torch.cat([close.new_full((shape[0], 1), torch.nan), close], dim=1).gather(1, slot)
    row, column = ((nearer == distance) & negative).nonzero(as_tuple=True)
    place = slot[row, column] - 1
    while len(row):
        earlier = column < index[row, place]
        before.index_put_((row[earlier], place[earlier]), before.new_ones(()), accumulate=True)
        place = place - 1
        again = (place >= 0) & (close[row, place.clamp(min=0)] == distance[row, column])
        row, column, place = row[again], column[again], place[again]

    own = torch.arange(shape[1], device=before.device)
    return torch.where(own < count[:, None], own + before, -1)


def scores_by_name(scores: QueryScores, ranks: Sequence[int] = (1, 5, 10)) -> dict[str, Tensor]:
    """The scores in [0, 1] of each query that has a positive; see :func:`reid_metrics`.

    Raises:
        ValueError: No query has a positive, or a rank is not a whole number above 0.
    """
    check_ranks(ranks)
    scores = _on_host(scores)
    valid = _with_positive(scores)
    found = dict(
        mAP=scores.average_precision[valid],
        mAP_trapezoid=scores.average_precision_trapezoid[valid],
        mINP=scores.inverse_negative_penalty[valid],
    )
    for rank in ranks:
        found[f'rank{rank}'] = (scores.first_hit[valid] < rank).double()
    return found


def summarise(scores: QueryScores, ranks: Sequence[int] = (1, 5, 10)) -> dict[str, float]:
    """The means over the queries that have a positive, in percent; see :func:`reid_metrics`.

    Raises:
        ValueError: No query has a positive, or a rank is not a whole number above 0.
    """
    by_name = scores_by_name(scores, ranks)
    return {name: 100 * values.mean().item() for name, values in by_name.items()}


def cumulative_match(scores: QueryScores, max_rank: int) -> Tensor:
    """The CMC curve (max_rank,): queries with a positive among the first 1, 2, ..., in percent.

    Raises:
        ValueError: No query has a positive, or max_rank is not a whole number above 0.
    """
    check_ranks([max_rank])
    scores = _on_host(scores)
    hits = scores.first_hit[_with_positive(scores)].clamp(max=max_rank)
    count = torch.bincount(hits, minlength=max_rank + 1)[:max_rank]
    return 100 * count.cumsum(0).double() / len(hits)


def _on_host(scores: QueryScores) -> QueryScores:
    """The scores on the CPU; from a device they come in one copy."""
    if scores.first_hit.device.type == 'cpu':
        return scores
    one, two, three, first_hit = torch.stack([column.double() for column in scores]).cpu()
    return QueryScores(one, two, three, first_hit.long())


def _with_positive(scores: QueryScores) -> Tensor:
    """Which queries (Q,) have a positive; a ValueError if none has."""
    valid = scores.first_hit >= 0
    if not valid.any():
        raise ValueError(
            f'none of the {len(valid)} queries has a positive in the gallery (an image of its '
            'identity from another camera): are query and gallery of the same split?'
        )
    return valid


def _score_hits(hits: Tensor) -> QueryScores:
    """Scores from the places (Q, P) of the positives, -1 after a query's last."""
    real = hits >= 0
    count = real.sum(1).double()
    found = torch.arange(1, hits.shape[1] + 1, device=hits.device).double()  # with this one
    rank = (hits + 1).clamp(min=1).double()
    precision = found / rank
    # The precision one place higher, and 1 above the first place.
    higher = torch.where(rank > 1, (found - 1) / (rank - 1).clamp(min=1), 1.0)
    last = hits.amax(1).double() + 1
    first = hits[:, 0]
    return QueryScores(
        average_precision=(precision * real).sum(1) / count,
        average_precision_trapezoid=((precision + higher) / 2 * real).sum(1) / count,
        inverse_negative_penalty=torch.where(first >= 0, count / last.clamp(min=1), torch.nan),
        first_hit=first,
    )


def _vector(name: str, values: Numbers, length: int, device: torch.device) -> Tensor:
    vector = torch.as_tensor(values, device=device)
    if vector.shape != (length,):
        raise ValueError(
            f'{name} has shape {tuple(vector.shape)}, but the distance matrix needs ({length},)'
        )
    return vector
