"""Face verification and identification of a model as MMEngine metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from amlfs_mm.registry import METRICS

from ..common import check_fields, check_ranks, features_on_host
from .identification import gallery_identification_rate, identification_rate
from .verification import draw_pairs, true_accept_rates, verification_accuracy


class FaceMetric(BaseMetric):
    """Collects the feature of each image once, in the order of the data set.

    It needs from each data sample ``sample_idx`` and ``feature`` (D,). The model decides what
    becomes of mirror images: ``EmbeddingClassifier(flip=...)`` gives the mean of both features, or
    both in a row. If a feature is not finite, the metrics are NaN. A search counts such a candidate
    as diverged.
    """

    default_prefix = 'face'
    fields: tuple[str, ...] = ()
    """What else is kept of each data sample."""

    def check_sample(self, sample: dict) -> None:
        """A data sample, as the pipeline packs it, has what the metric reads.

        Raises:
            ValueError: A field is not there.

        When:
            A training with an evaluation, or an evaluation, starts.
        """
        check_fields(sample, self.fields, type(self).__name__)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep the feature and the fields of each sample of a batch.

        Raises:
            ValueError: A sample lacks one of them.
        """
        for sample in data_samples:
            check_fields(sample, ('feature', 'sample_idx', *self.fields), type(self).__name__)
        for sample, feature in zip(data_samples, features_on_host(data_samples), strict=True):
            labels = [sample[name] for name in self.fields]
            self.results.append(
                (int(sample['sample_idx']), sample.get('img_path'), feature, *labels)
            )

    def compute_metrics(self, results: list) -> dict[str, float]:
        """The metrics of all images; NaN if a feature is not finite.

        Raises:
            ValueError: The images are not those that the protocol needs.
        """
        indices, _, kept, *labels = map(list, zip(*self._once(results), strict=True))
        features = torch.stack(kept)
        # Score in any case: for the names of the metrics, and for errors in the data.
        metrics = self.score(indices, features.nan_to_num(0, 0, 0), *labels)
        if torch.isfinite(features).all():
            return metrics
        print_log(
            f'{type(self).__name__}: features are not finite, the metrics are NaN', logger='current'
        )
        return dict.fromkeys(metrics, math.nan)

    def _once(self, results: list) -> list:
        """Each image once, in the order of the data set.

        Raises:
            ValueError: Two images have one number.
        """
        # Samplers repeat images so that all replicas have as many.
        images: dict[int, tuple] = {}
        for result in results:
            index, path, _, *labels = result
            _, known_path, _, *known_labels = images.setdefault(index, result)
            if (path, labels) != (known_path, known_labels):
                raise ValueError(
                    f'{type(self).__name__} got two images with sample_idx={index} ({known_path}, '
                    f'{path}): data sets that are put together (ConcatDataset) each count from 0. '
                    'Evaluate each with a metric of its own'
                )
        return [images[index] for index in sorted(images)]

    def score(self, indices: list[int], features: Tensor, *labels: Any) -> dict[str, float]:
        """The metrics of images in the order of the data set.

        Args:
            indices: (N,) ``sample_idx``.
            features: (N, D).
            labels: (N,) for each of ``fields``.
        """
        raise NotImplementedError


@METRICS.register_module()
class FaceVerification(FaceMetric):
    """Accuracy on pairs of images, as LFW and insightface's ``.bin`` sets have them.

    With ``pairs='listed'``, images 2k and 2k + 1 of the data set are pair k, and its
    ``metainfo['is_same']`` has one flag a pair. With ``pairs='drawn'``, for identities without a
    list of pairs, :func:`.verification.draw_pairs` draws them by each sample's ``person_id``.

    Results in percent are ``face/verification`` (accuracy), ``face/verification_std`` and
    ``face/tar_at_far_<share>``. ``face/verification_threshold`` is a squared distance. See
    :func:`amlfs_mm.evaluation.verification_accuracy` and
    :func:`amlfs_mm.evaluation.true_accept_rates`. Give each of several sets its own ``prefix``.

    Args:
        folds: Number of folds of the cross-validation.
        false_accept_rates: The shares of TAR@FAR.
        pairs: ``listed`` or ``drawn``.
        kwargs: As in mmengine's ``BaseMetric``.

    Raises:
        ValueError: pairs is neither of the two.
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

    def check_sample(self, sample: dict) -> None:
        """As in the base class, and the data set lists pairs, if it has to.

        Raises:
            ValueError: A field is not there, or the flags of the pairs are not.

        When:
            A training with an evaluation, or an evaluation, starts.
        """
        super().check_sample(sample)
        if not self.fields:
            self._flags()

    def score(self, indices: list[int], features: Tensor, *labels: Any) -> dict[str, float]:
        """The metrics of images in the order of the data set; arguments as in the base class."""
        one, other, same = (
            self._draw(features, *labels) if labels else self._listed(indices, features)
        )
        scores = verification_accuracy(one, other, same, folds=self.folds)
        return dict(
            verification=scores['accuracy'],
            verification_std=scores['accuracy_std'],
            verification_threshold=scores['threshold'],
            **true_accept_rates(one, other, same, self.false_accept_rates),
        )

    def _draw(self, features: Tensor, ids: list) -> tuple[Tensor, Tensor, np.ndarray]:
        first, second, is_same = draw_pairs(ids)
        return features[first], features[second], is_same

    def _listed(self, indices: list[int], features: Tensor) -> tuple[Tensor, Tensor, list[bool]]:
        is_same = self._flags()
        if indices != list(range(2 * len(is_same))):
            raise ValueError(
                f'{len(is_same)} pairs are {2 * len(is_same)} images, numbers 0 to '
                f'{2 * len(is_same) - 1}; got {len(indices)}, numbers {indices[0]} to {indices[-1]}'
            )
        return features[::2], features[1::2], is_same

    def _flags(self) -> list[bool]:
        is_same = (self.dataset_meta or {}).get('is_same')
        if is_same is None:
            raise ValueError(
                "FaceVerification needs the data set's metainfo['is_same'], one flag a pair: use a "
                "verification set, or pairs='drawn'"
            )
        return is_same


@METRICS.register_module()
class FaceIdentification(FaceMetric):
    """Rank-k rates by MegaFace's rule, on held-out identities or with distractors.

    It also needs ``person_id`` and ``role`` of each data sample. The roles say what is scored:

    - ``probe`` and ``gallery`` (D_v, held-out identities): each gallery image of a probe's person
      is its mate in turn. The gallery images of all other persons are the distractors. See
      :func:`amlfs_mm.evaluation.gallery_identification_rate`.
    - ``probe`` and ``distractor`` (MegaFace): each other probe of a probe's person is its mate in
      turn. A distractor's ``person_id`` does not count. See
      :func:`amlfs_mm.evaluation.identification_rate`.

    Results are ``face/rank<k>``, in percent.

    Args:
        ranks: Each k.
        kwargs: As in mmengine's ``BaseMetric``.

    Raises:
        ValueError: A rank is not a whole number above 0.
    """

    fields = ('person_id', 'role')

    def __init__(self, ranks: Sequence[int] = (1,), **kwargs) -> None:
        super().__init__(**kwargs)
        check_ranks(ranks)
        self.ranks = tuple(ranks)

    def score(self, indices: list[int], features: Tensor, *labels: Any) -> dict[str, float]:
        """The metrics of images in the order of the data set; arguments as in the base class."""
        ids, roles = labels
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
