"""mmpretrain's accuracy for batches of predictions that are one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.structures import BaseDataElement
from mmpretrain.evaluation import Accuracy
from torch import Tensor

from amlfs_mm.registry import METRICS
from amlfs_mm.utils.lazy_data_samples import LazyDataSamples

from .whole_batches import WholeBatchMetric


@METRICS.register_module()
class BatchAccuracy(WholeBatchMetric, Accuracy):
    """The same numbers as mmpretrain's, but whole batches are counted where they lie.

    Nothing is copied from a device before the end. Arguments as in mmpretrain's ``Accuracy``.
    """

    @classmethod
    def like(cls, other: Accuracy) -> BatchAccuracy:
        """One with the options of mmpretrain's."""
        made = cls()
        made.__dict__.update(other.__dict__)
        return made

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Note samples one by one; those with probabilities as :meth:`process_batch` does."""
        if not all('pred_score' in sample for sample in data_samples):
            super().process(data_batch, data_samples)
        elif data_samples:
            scores = torch.stack([sample['pred_score'] for sample in data_samples])
            self.process_batch(scores, torch.cat([sample['gt_label'] for sample in data_samples]))

    def process_batch(self, scores: Tensor, labels: Tensor) -> None:
        """Note which of N samples are right, given scores (N, C) and classes (N,).

        Raises:
            ValueError: There are fewer classes than the k of top-k.
        """
        most = max(self.topk)
        if most > scores.size(1):
            raise ValueError(
                f'Top-{most} accuracy is unavailable since the number of categories is '
                f'{scores.size(1)}. Please check the `val_evaluator` and `test_evaluator` fields '
                'in your config file.'
            )
        self.results.append(self._hits(scores, labels))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Accuracies in percent by name, of what :meth:`process` and the other one noted."""
        if isinstance(results[0], dict):  # of samples without probabilities
            metrics = super().compute_metrics(results)
            predicted, labels = (
                torch.cat([result[name] for result in results])
                for name in ('pred_label', 'gt_label')
            )
            hits = (predicted == labels)[:, None]
        else:
            hits = torch.cat([torch.as_tensor(part).view(-1, len(self._names)) for part in results])
            shares = (hits.float().sum(dim=0) * (100.0 / len(hits))).tolist()
            metrics = dict(zip(self._names, shares, strict=True))
        self.scored = dict(zip(metrics, 100.0 * hits.T, strict=True))
        return metrics

    @property
    def _names(self) -> list[str]:
        suffixes = ['_no-thr' if t is None else f'_thr-{t:.2f}' for t in self.thrs]
        several = len(self.thrs) > 1
        return [f'top{k}{suffix if several else ""}' for k in self.topk for suffix in suffixes]

    def _hits(self, scores: Tensor, labels: Tensor) -> Tensor:
        """Whether each of N samples is right, (N, names)."""
        score, predicted = scores.float().topk(max(self.topk), dim=1)
        hit = predicted == labels[:, None]
        counted = [hit if bound is None else hit & (score > bound) for bound in self.thrs]
        if len(counted) == hit.size(1) == 1:  # top-1 alone, as nearly always
            return counted[0]
        right = [part[:, :k].any(dim=1) for k in self.topk for part in counted]
        return torch.stack(right, dim=1)


class BatchEvaluator(Evaluator):
    """mmengine's evaluator, which hands whole batches to the metrics that take them."""

    @classmethod
    def like(cls, other: Evaluator) -> BatchEvaluator:
        """One with the metrics of mmengine's, mmpretrain's ``Accuracy`` replaced."""
        made = cls([BatchAccuracy.like(m) if type(m) is Accuracy else m for m in other.metrics])
        made.dataset_meta = other.dataset_meta
        return made

    def process(
        self, data_samples: Sequence[BaseDataElement], data_batch: Any | None = None
    ) -> None:
        """Give each metric the predictions and labels of a batch.

        Raises:
            ValueError: The samples lack a field that a metric reads; the message names both.
        """
        metrics = list(self.metrics)
        if (
            isinstance(data_samples, LazyDataSamples)
            and data_samples.pred_score is not None
            and data_samples.untouched  # else somebody may have changed a sample
        ):
            for metric in metrics:
                if isinstance(metric, WholeBatchMetric):
                    metric.process_batch(data_samples.pred_score, data_samples.labels)
            metrics = [metric for metric in metrics if not isinstance(metric, WholeBatchMetric)]
        if not metrics:
            return
        dicts = [
            sample.to_dict() if isinstance(sample, BaseDataElement) else sample
            for sample in data_samples
        ]
        for metric in metrics:
            try:
                metric.process(data_batch, dicts)
            except KeyError as error:
                raise missing_field(metric, error, dicts[0]) from error


def missing_field(metric: BaseMetric, error: KeyError, sample: dict) -> Exception:
    """The error for a metric that did not find a field; another KeyError as it is."""
    field = error.args[0] if error.args else None
    if field in sample or not isinstance(field, str):
        return error
    return ValueError(
        f'{type(metric).__name__} needs {field!r} of each data sample, which has only '
        f'{sorted(sample)}: pred_score and pred_label come from a classifier such as '
        "mmpretrain's ImageClassifier, feature from amlfs_mm.EmbeddingClassifier, and all others "
        'from the data set, if meta_keys of PackInputs name them'
    )
