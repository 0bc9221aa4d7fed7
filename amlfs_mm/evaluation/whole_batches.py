"""What metrics have in common that take a batch of predictions as two tensors."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from mmengine.dist import get_world_size
from mmengine.evaluator import BaseMetric
from torch import Tensor


class WholeBatchMetric(BaseMetric):
    """A metric of classification to which whole batches are given, and left where they lie.

    Attributes:
        results: A tensor (N, ...) for each batch of N samples; or what ``process`` made of samples.
        scored: Name -> score (N,) of each sample in the last evaluation, on the main process. The
            mean over the samples is the metric.
    """

    results: list[Any]
    scored: dict[str, Tensor] = {}

    @abstractmethod
    def process_batch(self, scores: Tensor, labels: Tensor) -> None:
        """Note a batch of N samples, given probabilities (N, C) and classes (N,)."""

    def sample_scores(self, name: str) -> Tensor | None:
        """The score (N,) of each sample in the last evaluation; see ``scored``.

        Args:
            name: Of the metric, without prefix.
        """
        return self.scored.get(name)

    def evaluate(self, size: int) -> dict[str, float]:
        """The metrics over the first ``size`` samples of all processes."""
        if get_world_size() > 1 and self.results and isinstance(self.results[0], Tensor):
            # Sample by sample: mmengine takes them from the processes in turn, and drops those at
            # the end that the sampler has repeated.
            self.results = torch.cat(self.results).tolist()
        return super().evaluate(size)
