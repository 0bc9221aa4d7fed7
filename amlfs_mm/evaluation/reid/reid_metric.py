"""mAP, mINP and CMC of a re-identification model as an MMEngine metric."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from amlfs_mm.registry import METRICS

from ..common import check_fields, check_ranks, features_on_host
from .distances import check_kind, pairwise_distance, unit_features
from .features import Features, save_features
from .ranking import QueryScores, score_queries, scores_by_name
from .reranking import k_reciprocal_rerank

ROLES = ('query', 'gallery')


@METRICS.register_module()
class ReIDMetric(BaseMetric):
    """Ranks a gallery for each query and scores it by Market-1501's protocol.

    It needs from each data sample ``feature`` (D,), ``person_id``, ``camera_id`` and ``role``
    (``query`` or ``gallery``), in any order. :class:`amlfs_mm.EmbeddingClassifier` and
    :class:`amlfs_mm.ReIDDataset` set them. An image that comes twice, by ``sample_idx`` and
    ``img_path``, counts once.

    Results are ``reid/mAP``, ``reid/mAP_trapezoid``, ``reid/mINP`` and ``reid/rank<k>``, in
    percent; see :func:`amlfs_mm.evaluation.reid_metrics`. If a feature is not finite, they are
    NaN. A search counts such a candidate as diverged.

    Use re-ranking in the test evaluator. It takes much longer than ranking, and a search should
    not be rewarded for it.

    Args:
        distance: ``cosine`` or ``euclidean``.
        ranks: Each k of the CMC curve.
        rerank: Also score the re-ranked distance: ``reid/mAP_rerank`` and so on.
        rerank_options: ``k1``, ``k2``, ``lambda_value`` of
            :func:`amlfs_mm.evaluation.k_reciprocal_rerank`; the defaults are those for Market-1501
            and DukeMTMC-reID, other data need others. With ``distance='cosine'`` features are
            normalised first.
        features_file: Write the features, identities, cameras, paths of queries and gallery to this
            ``.npz``.
        kwargs: As in mmengine's ``BaseMetric``.

    Raises:
        ValueError: The distance is unknown, or a rank is not a whole number above 0.
    """

    default_prefix = 'reid'
    fields = ('person_id', 'camera_id', 'role')
    """What is read of each data sample, besides its feature."""

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
        check_ranks(ranks)
        self.distance = distance
        self.ranks = tuple(ranks)
        self.rerank = rerank
        self.rerank_options = dict(rerank_options)
        self.features_file = features_file
        self.scored: dict[str, Tensor] = {}

    def check_sample(self, sample: dict) -> None:
        """A data sample, as the pipeline packs it, has what the metric reads.

        Raises:
            ValueError: A field is not there.

        When:
            A training with an evaluation, or an evaluation, starts.
        """
        check_fields(sample, self.fields, type(self).__name__)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep the feature and the labels of each sample of a batch.

        Raises:
            ValueError: A sample lacks one of them, or has an unknown role.
        """
        for sample in data_samples:
            check_fields(sample, ('feature', *self.fields), type(self).__name__)
            if sample['role'] not in ROLES:
                raise ValueError(
                    f'ReIDMetric knows the roles {list(ROLES)}, but sample '
                    f"{sample.get('img_path', '')} has {sample['role']!r}: evaluate ReIDDataset's "
                    "part 'val' or 'test'"
                )
        for sample, feature in zip(data_samples, features_on_host(data_samples), strict=True):
            self.results.append(
                (
                    feature,
                    int(sample['person_id']),
                    int(sample['camera_id']),
                    sample['role'],
                    sample.get('img_path', ''),
                    sample.get('sample_idx'),
                )
            )

    def compute_metrics(self, results: list) -> dict[str, float]:
        """The metrics of all images; NaN if a feature is not finite.

        Raises:
            ValueError: There is no query, no gallery image, or no query with a positive.
        """
        self.scored = {}
        results = each_once(results)
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
        scores = scores_by_name(score_features(query, gallery, self.distance), self.ranks)
        if self.rerank:
            reranked = rerank_features(query, gallery, self.distance, self.rerank_options)
            again = score_queries(reranked, query.ids, gallery.ids, query.cameras, gallery.cameras)
            scores |= {
                f'{name}_rerank': values
                for name, values in scores_by_name(again, self.ranks).items()
            }
        self.scored = {name: 100 * values for name, values in scores.items()}
        return {name: 100 * values.mean().item() for name, values in scores.items()}

    def sample_scores(self, name: str) -> Tensor | None:
        """The score (Q,), in percent, of each query with a positive in the last evaluation.

        Args:
            name: Of the metric, without prefix; its mean over the queries is the metric.
        """
        return self.scored.get(name)


def each_once(results: list) -> list:
    """Each image once: samplers may repeat some. Images without ``sample_idx`` all stay."""
    known, kept = set(), []
    for result in results:
        *_, role, path, index = result
        if index is None or (role, path, index) not in known:
            known.add((role, path, index))
            kept.append(result)
    return kept


def gather_images(results: list, role: str) -> Features:
    """The images of a role.

    Raises:
        ValueError: There is no such image.
    """
    mine = [result for result in results if result[3] == role]
    if not mine:
        roles = sorted({result[3] for result in results})
        raise ValueError(
            f'there is no {role} image to evaluate: the {len(results)} samples have the roles '
            f"{roles}. The evaluation data needs queries and a gallery: ReIDDataset's part 'val' "
            "or 'test'"
        )
    features, ids, cameras, _, paths, _ = zip(*mine, strict=True)
    return Features(torch.stack(features), torch.tensor(ids), torch.tensor(cameras), list(paths))


def score_features(
    query: Features, gallery: Features, distance: str, block_elements: int = 1 << 24
) -> QueryScores:
    """The scores of every query. The distance matrix is never in memory as a whole.

    Args:
        query: The queries.
        gallery: The gallery.
        distance: ``cosine`` or ``euclidean``.
        block_elements: Distances in memory at a time. It does not change the result.
    """
    rows = max(1, block_elements // len(gallery.ids))
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
    """The re-ranked distance (Q, G).

    Args:
        query: The queries.
        gallery: The gallery.
        distance: ``euclidean``, or ``cosine``: Euclidean between unit features.
        options: Of :func:`.k_reciprocal_rerank`.
    """
    one, other = query.features, gallery.features
    if distance == 'cosine':
        one, other = unit_features(one), unit_features(other)
    return torch.as_tensor(k_reciprocal_rerank(one, other, **options))
