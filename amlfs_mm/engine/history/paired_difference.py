"""How two models differ on the same samples, with an interval."""

from __future__ import annotations

import math
from typing import NamedTuple

from mmengine.evaluator import Evaluator
from torch import Tensor

NORMAL_QUANTILE = 1.959964
"""95 % of a normal distribution lie within so many standard deviations."""


class PairedDifference(NamedTuple):
    """The mean of the samples' differences, and its 95 % interval."""

    mean: float
    low: float
    high: float
    num_samples: int


def paired_difference(one: Tensor, other: Tensor) -> PairedDifference:
    """How much better one model scores than another one on the same samples.

    The interval is that of a normal distribution, by the standard deviation of the differences: for
    right (100) and wrong (0) McNemar's. It takes the samples for independent.

    Args:
        one: (N,) the score of each sample, in the order of the data.
        other: (N,) the same of the other model.

    Raises:
        ValueError: There are not as many scores of both, or fewer than 2.
    """
    if one.shape != other.shape or one.ndim != 1 or len(one) < 2:
        raise ValueError(
            f'a paired difference needs two scores of each of 2 samples or more, got shapes '
            f'{tuple(one.shape)} and {tuple(other.shape)}'
        )
    differences = one.double() - other.double()
    mean = differences.mean().item()
    half = NORMAL_QUANTILE * differences.std().item() / math.sqrt(len(differences))
    return PairedDifference(mean, mean - half, mean + half, len(differences))


def sample_scores(evaluator: Evaluator, name: str) -> Tensor | None:
    """The score (N,) of each sample in the last evaluation, whose mean is a metric.

    Only the main process has it. A metric that is such a mean has a method ``sample_scores``.

    Args:
        evaluator: After the evaluation.
        name: The metric's key, with prefix.

    Returns:
        None if the metric is no mean over samples, or does not tell them.
    """
    for metric in evaluator.metrics:
        prefix = f'{metric.prefix}/' if metric.prefix else ''
        if name.startswith(prefix) and hasattr(metric, 'sample_scores'):
            scores = metric.sample_scores(name.removeprefix(prefix))
            if scores is not None:
                return scores.cpu()
    return None
