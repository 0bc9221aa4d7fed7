"""Face verification and identification of a model as MMEngine metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from amlfs_mm.registry import METRICS

from ..common import check_ranks, own_copy
from .identification import gallery_identification_rate, identification_rate
from .verification import draw_pairs, true_accept_rates, verification_accuracy


class FaceMetric(BaseMetric):
    """Collects each image's feature once, in the data set's order, however many replicas there are.

    Needs from each data sample ``sample_idx`` and ``feature`` (D,); a model that looks at mirror
    images too gives the sum. Metrics are NaN where a feature is not finite: a search counts such a
    candidate as diverged.
    """

    default_prefix = 'face'
    fields: tuple[str, ...] = ()
    """What else is kept of each data sample."""

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            missing = [name for name in ('sample_idx', *self.fields) if name not in sample]
            if missing:
                raise ValueError(
                    f'{type(self).__name__} needs {missing} of each data sample: name them in the '
                    "meta_keys of the pipeline's PackInputs"
                )
            labels = [sample[name] for name in self.fields]
            self.results.append((int(sample['sample_idx']), own_copy(sample['feature']), *labels))

    def compute_metrics(self, results: list) -> dict[str, float]:
        # The sampler repeats images so that all replicas have as many.
        results = sorted({result[0]: result for result in results}.values(), key=lambda r: r[0])
        indices, features, *labels = map(list, zip(*results, strict=True))
        features = torch.stack(features)
        # Scored in any case, for the metrics' names and for errors in the data.
        metrics = self.score(indices, features.nan_to_num(0, 0, 0), *labels)
        if torch.isfinite(features).all():
            return metrics
        print_log(
            f'{type(self).__name__}: features are not finite, the metrics are NaN', logger='current'
        )
        return dict.fromkeys(metrics, math.nan)

    def score(self, indices: list[int], features: Tensor, *labels: list) -> dict[str, float]:
        """The metrics of images in the data set's order.

        Args:
            indices: (N,) ``sample_idx``.
            features: (N, D).
            labels: (N,) for each of ``fields``.
        """
        raise NotImplementedError


@METRICS.register_module()
class FaceVerification(FaceMetric):
    """Accuracy on pairs of images, as LFW and insightface's ``.bin`` sets have them.

    With ``pairs='listed'`` images 2k and 2k + 1 of the data set are pair k; its
    ``metainfo['is_same']`` has a flag a pair. With ``'drawn'``, for identities without a list of
    pairs, they are drawn as in :func:`.verification.draw_pairs`, by each sample's ``person_id``.
    Results are ``face/verification`` (accuracy), ``face/verification_std``, in percent,
    ``face/verification_threshold``, and ``face/tar_at_far_<share>`` in percent; see
    :func:`amlfs_mm.evaluation.verification_accuracy` and
    :func:`amlfs_mm.evaluation.true_accept_rates`. Several sets are told apart by ``prefix``.

    Args:
        folds: Of the cross-validation.
        false_accept_rates: Of TAR@FAR.
        pairs: ``listed`` or ``drawn``.
        kwargs: As in mmengine's ``BaseMetric``.
    """

    def __init__(
        self,
        folds: int = 10,
        false_accept_rates: Sequence[float] = (1e-3,),
        pairs: str = 'listed',
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if pairs not in ('listed', 'drawn'):
            raise ValueError(f"pairs must be 'listed' or 'drawn', got {pairs!r}")
        self.fields = ('person_id',) if pairs == 'drawn' else ()
        self.folds = folds
        self.false_accept_rates = tuple(false_accept_rates)

    def score(self, indices: list[int], features: Tensor, *ids: list) -> dict[str, float]:
        pairs = self._draw(features, *ids) if ids else self._listed(indices, features)
        scores = verification_accuracy(*pairs, folds=self.folds)
        return dict(
            verification=scores['accuracy'],
            verification_std=scores['accuracy_std'],
            verification_threshold=scores['threshold'],
            **true_accept_rates(*pairs, self.false_accept_rates),
        )

    def _draw(self, features: Tensor, ids: list) -> tuple[Tensor, Tensor, Sequence[bool]]:
        first, second, is_same = draw_pairs(ids)
        return features[first], features[second], is_same

    def _listed(self, indices: list[int], features: Tensor) -> tuple[Tensor, Tensor, list[bool]]:
        is_same = (self.dataset_meta or {}).get('is_same')
        if is_same is None:
            raise ValueError(
                "FaceVerification needs the data set's metainfo['is_same'], a flag a pair: it is "
                'for verification sets'
            )
        if indices != list(range(2 * len(is_same))):
            raise ValueError(
                f'{len(is_same)} pairs are {2 * len(is_same)} images, numbers 0 to '
                f'{2 * len(is_same) - 1}; got {len(indices)}, numbers {indices[0]} to {indices[-1]}'
            )
        return features[::2], features[1::2], is_same


@METRICS.register_module()
class FaceIdentification(FaceMetric):
    """Rank-k rates by MegaFace's rule, on held-out identities or with distractors.

    Needs from each data sample besides ``person_id`` and ``role``, which say what is scored:

    - ``probe`` and ``gallery`` (D_v, held-out identities): each gallery image of a probe's person
      is its mate in turn, the gallery's images of all others are the distractors
      (:func:`amlfs_mm.evaluation.gallery_identification_rate`).
    - ``probe`` and ``distractor`` (MegaFace): each other probe of a probe's person is its mate in
      turn (:func:`amlfs_mm.evaluation.identification_rate`); a distractor's ``person_id`` does not
      count.

    Results are ``face/rank<k>``, in percent.

    Args:
        ranks: Rank k.
        kwargs: As in mmengine's ``BaseMetric``.
    """

    fields = ('person_id', 'role')

    def __init__(self, ranks: Sequence[int] = (1,), **kwargs) -> None:
        super().__init__(**kwargs)
        check_ranks(ranks)
        self.ranks = tuple(ranks)

    def score(
        self, indices: list[int], features: Tensor, ids: list, roles: list
    ) -> dict[str, float]:
        found = sorted(set(roles))
        if found not in (['gallery', 'probe'], ['distractor', 'probe']):
            raise ValueError(
                'FaceIdentification needs probes, and either a gallery or distractors: the '
                f'{len(roles)} samples have the roles {found}'
            )
        parts = {}
        for role in found:
            rows = [row for row, own in enumerate(roles) if own == role]
            parts[role] = features[rows], [ids[row] for row in rows]
        if 'gallery' in parts:
            return gallery_identification_rate(*parts['probe'], *parts['gallery'], self.ranks)
        return identification_rate(*parts['probe'], parts['distractor'][0], self.ranks)
