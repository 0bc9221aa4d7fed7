"""mmpretrain's accuracy for batches of predictions that are one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dist import get_world_size
from mmengine.evaluator import Evaluator
from mmengine.structures import BaseDataElement
from mmpretrain.evaluation import Accuracy
from torch import Tensor

from amlfs_mm.registry import METRICS
from amlfs_mm.utils.lazy_data_samples import LazyDataSamples


@METRICS.register_module()
class BatchAccuracy(Accuracy):
    """The same numbers as mmpretrain's, but whole batches are counted where they lie.

    Nothing is copied from a device before the end. Arguments as in mmpretrain's ``Accuracy``.
    """

    results: list[Any]

    @classmethod
    def like(cls, other: Accuracy) -> BatchAccuracy:
        """One with the options of mmpretrain's."""
        made = cls()
        made.__dict__.update(other.__dict__)
        return made

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
        score, predicted = scores.float().topk(most, dim=1)
        hit = predicted == labels[:, None]
        right = [
            (hit if threshold is None else hit & (score > threshold))[:, :k].any(dim=1)
            for k in self.topk
            for threshold in self.thrs
        ]
        self.results.append(torch.stack(right, dim=1))

    def evaluate(self, size: int) -> dict[str, float]:
        """The accuracies in percent over the first ``size`` samples of all processes."""
        if get_world_size() > 1 and self.results and isinstance(self.results[0], Tensor):
            # Sample by sample: mmengine takes them from the processes in turn, and drops those at
            # the end that the sampler has repeated.
            self.results = torch.cat(self.results).tolist()
        return super().evaluate(size)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Accuracies in percent by name, of batches or samples from :meth:`process_batch`."""
        if isinstance(results[0], dict):  # from samples one by one
            return super().compute_metrics(results)
        columns = len(self.topk) * len(self.thrs)
        right = torch.cat([torch.as_tensor(part).view(-1, columns) for part in results])
        shares = (right.float().sum(dim=0) * (100.0 / len(right))).tolist()
        metrics: dict[str, float] = {}
        for k in self.topk:
            for threshold in self.thrs:
                suffix = '_no-thr' if threshold is None else f'_thr-{threshold:.2f}'
                metrics[f'top{k}{suffix if len(self.thrs) > 1 else ""}'] = shares[len(metrics)]
        return metrics


class BatchEvaluator(Evaluator):
    """mmengine's evaluator, which hands whole batches to :class:`BatchAccuracy`."""

    @classmethod
    def like(cls, other: Evaluator) -> BatchEvaluator:
        """One with the metrics of mmengine's, mmpretrain's ``Accuracy`` replaced."""
        made = cls([BatchAccuracy.like(m) if type(m) is Accuracy else m for m in other.metrics])
        made.dataset_meta = other.dataset_meta
        return made

    def process(
        self, data_samples: Sequence[BaseDataElement], data_batch: Any | None = None
    ) -> None:
        """Give each metric the predictions and labels of a batch."""
        if not isinstance(data_samples, LazyDataSamples) or data_samples.pred_score is None:
            super().process(data_samples, data_batch)
            return
        others = []
        for metric in self.metrics:
            if isinstance(metric, BatchAccuracy):
                metric.process_batch(data_samples.pred_score, data_samples.labels)
            else:
                others.append(metric)
        if others:
            dicts = [sample.to_dict() for sample in data_samples]
            for metric in others:
                metric.process(data_batch, dicts)
