"""mAP, mINP and CMC of a re-identification model as an MMEngine metric."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from amlfs_mm.registry import METRICS

from ..common import own_copy
from .distances import check_kind, pairwise_distance, unit_features
from .features import Features, save_features
from .ranking import QueryScores, score_queries, summarise
from .reranking import k_reciprocal_rerank

CHUNK = 1 << 24  # elements of the distance matrix at a time


@METRICS.register_module()
class ReIDMetric(BaseMetric):
    """Ranks a gallery for each query and scores it by Market-1501's protocol.

    Needs from each data sample ``feature`` (D,), ``person_id``, ``camera_id`` and ``role``
    (``query`` or ``gallery``), in any order; :class:`amlfs_mm.EmbeddingClassifier` and
    :class:`amlfs_mm.ReIDDataset` set them. Results are ``reid/mAP``, ``reid/mAP_trapezoid``,
    ``reid/mINP``, ``reid/rank<k>``, in percent; see :func:`amlfs_mm.evaluation.reid_metrics`. They
    are NaN where a feature is not finite: a search counts such a candidate as diverged.

    Re-ranking is for the test evaluator: it takes much longer than ranking and is not what a search
    should be rewarded for.

    Args:
        distance: ``cosine`` or ``euclidean``.
        ranks: Of the CMC curve.
        rerank: Also score the re-ranked distance: ``reid/mAP_rerank`` and so on.
        rerank_options: ``k1``, ``k2``, ``lambda_value`` of
            :func:`amlfs_mm.evaluation.k_reciprocal_rerank`; the defaults are those for Market-1501
            and DukeMTMC-reID. With ``distance='cosine'`` features are normalised first.
        features_file: Write the features, identities, cameras, paths of queries and gallery to this
            ``.npz``.
        kwargs: As in mmengine's ``BaseMetric``.
    """

    default_prefix = 'reid'

    def __init__(
        self,
        distance: str = 'cosine',
        ranks: Sequence[int] = (1, 5, 10),
        rerank: bool = False,
        rerank_options: dict = dict(),
        features_file: str | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        check_kind(distance)
        self.distance = distance
        self.ranks = tuple(ranks)
        self.rerank = rerank
        self.rerank_options = dict(rerank_options)
        self.features_file = features_file

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            self.results.append(
                (
                    own_copy(sample['feature']),
                    int(sample['person_id']),
                    int(sample['camera_id']),
                    sample['role'],
                    sample.get('img_path', ''),
                )
            )

    def compute_metrics(self, results: list) -> dict[str, float]:
        query, gallery = gather_images(results, 'query'), gather_images(results, 'gallery')
        if self.features_file is not None:
            save_features(self.features_file, query, gallery)
        if not (torch.isfinite(query.features).all() and torch.isfinite(gallery.features).all()):
            print_log('ReIDMetric: features are not finite, the metrics are NaN', logger='current')
            names = ['mAP', 'mAP_trapezoid', 'mINP', *(f'rank{rank}' for rank in self.ranks)]
            return {
                f'{name}{suffix}': math.nan
                for name in names
                for suffix in (('', '_rerank') if self.rerank else ('',))
            }
        metrics = summarise(score_features(query, gallery, self.distance), self.ranks)
        if self.rerank:
            reranked = rerank_features(query, gallery, self.distance, self.rerank_options)
            again = score_queries(reranked, query.ids, gallery.ids, query.cameras, gallery.cameras)
            metrics |= {
                f'{name}_rerank': value for name, value in summarise(again, self.ranks).items()
            }
        return metrics


def gather_images(results: list, role: str) -> Features:
    """The images of a role.

    Raises:
        ValueError: There is none.
    """
    mine = [result for result in results if result[3] == role]
    if not mine:
        roles = sorted({result[3] for result in results})
        raise ValueError(
            f'there is no {role} image to evaluate: the {len(results)} samples have the roles '
            f"{roles}. The evaluation data needs queries and a gallery: ReIDDataset's part 'val' "
            "or 'test'"
        )
    features, ids, cameras, _, paths = zip(*mine, strict=True)
    return Features(torch.stack(features), torch.tensor(ids), torch.tensor(cameras), list(paths))


def score_features(query: Features, gallery: Features, distance: str) -> QueryScores:
    """Every query's scores; the distance matrix never exists as a whole."""
    rows = max(1, CHUNK // len(gallery.ids))
    parts = []
    for start in range(0, len(query.ids), rows):
        part = slice(start, start + rows)
        parts.append(
            score_queries(
                pairwise_distance(query.features[part], gallery.features, distance),
                query.ids[part],
                gallery.ids,
                query.cameras[part],
                gallery.cameras,
            )
        )
    return QueryScores(*(torch.cat(column) for column in zip(*parts, strict=True)))


def rerank_features(query: Features, gallery: Features, distance: str, options: dict) -> Tensor:
    """The re-ranked distance (Q, G); cosine means Euclidean between unit features."""
    features = (query.features, gallery.features)
    if distance == 'cosine':
        features = map(unit_features, features)
    return k_reciprocal_rerank(*features, **options)
