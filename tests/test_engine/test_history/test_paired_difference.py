"""The difference of two models on the same samples, against McNemar's formula and a bootstrap."""

import math

import numpy as np
import pytest
import torch

from amlfs_mm.engine.history.paired_difference import paired_difference, sample_scores
from amlfs_mm.evaluation.accuracy import BatchAccuracy


def test_right_and_wrong_give_mcnemar_s_interval():
    """b and c of n samples are right by one model only: (b - c) / n, its variance by b + c."""
    both, b, c, none = 50, 12, 5, 33
    n = both + b + c + none
    one = torch.tensor([100.0] * (both + b) + [0.0] * (c + none))
    other = torch.tensor([100.0] * both + [0.0] * b + [100.0] * c + [0.0] * none)
    found = paired_difference(one, other)
    mean = 100 * (b - c) / n
    error = 100 * math.sqrt((b + c - (b - c) ** 2 / n) / (n - 1) / n)
    assert found.num_samples == n
    assert found.mean == pytest.approx(mean)
    expected = (mean - 1.96 * error, mean + 1.96 * error)
    assert (found.low, found.high) == pytest.approx(expected, abs=0.001)


def test_any_scores_give_the_interval_of_a_bootstrap():
    draw = np.random.default_rng(0)
    one = draw.beta(2, 3, 400)
    other = (0.7 * one + 0.3 * draw.beta(2, 3, 400)).astype(np.float32)
    found = paired_difference(torch.tensor(one), torch.tensor(other))
    picks = draw.integers(400, size=(4000, 400))
    low, high = np.quantile((one - other)[picks].mean(1), [0.025, 0.975])
    assert found.mean == pytest.approx((one - other).mean())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.05 * (high - low))


def test_the_same_model_twice():
    score = torch.tensor([0.0, 100.0, 100.0])
    assert paired_difference(score, score) == (0, 0, 0, 3)


@pytest.mark.parametrize(('one', 'other'), [(1, 1), (3, 4)])
def test_refused(one: int, other: int):
    with pytest.raises(ValueError, match=r'each of 2 samples or more, got shapes \(\d,\) and'):
        paired_difference(torch.zeros(one), torch.zeros(other))


def test_a_metric_that_is_no_mean_tells_no_scores():
    class Evaluator:
        metrics = (BatchAccuracy(prefix='other'), BatchAccuracy())

    scores, labels = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]), torch.tensor([0, 1, 1])
    Evaluator.metrics[1].process_batch(scores, labels)
    metrics = Evaluator.metrics[1].evaluate(3)
    found = sample_scores(Evaluator, 'accuracy/top1')
    assert found.tolist() == [100, 100, 0]
    assert found.mean().item() == pytest.approx(metrics['accuracy/top1'])
    for name in ('accuracy/top5', 'other/top1', 'face/verification'):
        assert sample_scores(Evaluator, name) is None
