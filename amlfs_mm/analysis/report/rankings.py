"""Rankings of a re-identification model, as :mod:`amlfs_mm.visualization.reid_plots` draws them."""

from __future__ import annotations

import torch
from torch import Tensor

from amlfs_mm.evaluation.reid.features import Features
from amlfs_mm.evaluation.reid.ranking import JUNK, QueryScores, cumulative_match, score_queries
from amlfs_mm.visualization.reid_plots import Ranking


def score_rankings(distance: Tensor, query: Features, gallery: Features) -> QueryScores:
    """Scores of each query (Q,) by a distance matrix (Q, G) between queries and gallery.

    Raises:
        ValueError: A shape does not fit, or a distance is NaN.
    """
    return score_queries(distance, query.ids, gallery.ids, query.cameras, gallery.cameras)


def rank_gallery(distance: Tensor, query: Features, gallery: Features, index: int) -> list[int]:
    """Indices of the gallery's images, nearest first, in the ranking that query ``index`` has.

    Market-1501's protocol leaves out junk images and images of the query's identity from the
    query's own camera.

    Args:
        distance: (Q, G).
        query: The Q queries.
        gallery: The G gallery images.
        index: Of the query.
    """
    own = (gallery.ids == query.ids[index]) & (gallery.cameras == query.cameras[index])
    order = distance[index].argsort(stable=True)
    return order[~(own | (gallery.ids == JUNK))[order]].tolist()


def collect_rankings(
    distance: Tensor, query: Features, gallery: Features, indices: list[int], top: int = 10
) -> list[Ranking]:
    """The rankings of some queries, each cut off after ``top`` gallery images.

    Args:
        distance: (Q, G).
        query: The Q queries.
        gallery: The G gallery images.
        indices: Of the queries.
        top: How many gallery images at most.
    """
    scores = score_rankings(distance, query, gallery)
    rankings = []
    for i in indices:
        nearest = rank_gallery(distance, query, gallery, i)[:top]
        rankings.append(
            Ranking(
                query=query.paths[i],
                camera=int(query.cameras[i]),
                average_precision=scores.average_precision[i].item(),
                gallery=[gallery.paths[j] for j in nearest],
                cameras=gallery.cameras[nearest].tolist(),
                distances=distance[i, nearest].tolist(),
                correct=(gallery.ids[nearest] == query.ids[i]).tolist(),
            )
        )
    return rankings


def best_and_worst(
    distance: Tensor, query: Features, gallery: Features, count: int
) -> dict[str, list[int]]:
    """Indices of the queries with the highest and with the lowest average precision.

    Args:
        distance: (Q, G).
        query: The Q queries.
        gallery: The G gallery images.
        count: How many of each at most.

    Returns:
        ``best``, the best one first, and ``worst``, the worst one first.

    Raises:
        ValueError: No query has a positive: an image of its identity from another camera.
    """
    scores = score_rankings(distance, query, gallery)
    valid = (scores.first_hit >= 0).nonzero().squeeze(1)
    if not len(valid):
        raise ValueError(
            f'none of the {len(query.ids)} queries has a positive in the gallery (an image of its '
            'identity from another camera)'
        )
    order = valid[scores.average_precision[valid].argsort(stable=True)].tolist()
    return dict(best=order[::-1][:count], worst=order[:count])


def cmc_curves(
    distances: dict[str, Tensor], query: Features, gallery: Features, max_rank: int = 20
) -> dict[str, Tensor]:
    """CMC curves (max_rank,) in percent, one per distance matrix (Q, G).

    Each stands under the matrix's name with its mAP and rank-1 rate, for a legend.
    """
    curves = {}
    for name, distance in distances.items():
        scores = score_rankings(distance, query, gallery)
        mean = 100 * torch.nanmean(scores.average_precision).item()
        curve = cumulative_match(scores, max_rank)
        curves[f'{name} (mAP {mean:.1f} %, rank-1 {curve[0]:.1f} %)'] = curve
    return curves
