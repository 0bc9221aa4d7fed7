"""The mean log probability of the labels: a finer score than accuracy."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from amlfs_mm.registry import METRICS

from .whole_batches import WholeBatchMetric

SMALLEST = torch.finfo(torch.float32).tiny
"""A smaller probability counts as this one: its logarithm is -87.3."""


@METRICS.register_module()
class MeanLogProbability(WholeBatchMetric):
    """``log_probability/mean``: the mean over the samples of log p(label).

    p is the plain softmax of the logits that the head predicts with, its scale included. It does
    not depend on theta. The value is at most 0, and minus the cross entropy. It still tells models
    apart that are right on the same images. It also punishes wrong predictions that are sure of
    themselves, so a head with another scale gets another value.

    As the reward of a search: ``reward='log_probability/mean'``, with this metric in
    ``val_evaluator`` beside the accuracy. Arguments as in mmengine's ``BaseMetric``.
    """

    default_prefix = 'log_probability'

    def process_batch(self, scores: Tensor, labels: Tensor) -> None:
        """Note a batch of N samples, given probabilities (N, C) and classes (N,)."""
        of_label = scores.gather(1, labels[:, None])[:, 0]
        # Not in float32: probabilities near 1 and sums of many samples need the digits.
        self.results.append(of_label.double().clamp(min=SMALLEST).log())

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Note samples one by one.

        Raises:
            ValueError: A sample has no probabilities, or not one class.
        """
        for sample in data_samples:
            if 'pred_score' not in sample or sample.get('gt_label', torch.empty(0)).numel() != 1:
                raise ValueError(
                    'MeanLogProbability needs of each data sample pred_score, which a '
                    'classification head sets, and one class in gt_label; got '
                    f'{sorted(sample)}'
                )
            self.process_batch(sample['pred_score'][None], sample['gt_label'])

    def compute_metrics(self, results: list) -> dict[str, float]:
        """The mean, by name, of batches or samples from :meth:`process_batch`."""
        log_probability = torch.cat(
            [torch.as_tensor(part, dtype=torch.float64).view(-1) for part in results]
        )
        self.scored = dict(mean=log_probability)
        return dict(mean=log_probability.mean().item())
