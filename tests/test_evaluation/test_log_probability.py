"""The mean log probability, by batches or samples, on one process or several."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from test_accuracy import evaluate_on_two_processes, parts, predictions

from amlfs_mm.evaluation import MeanLogProbability
from amlfs_mm.evaluation.accuracy import BatchEvaluator


def naive(scores: torch.Tensor, labels: torch.Tensor) -> list[float]:
    """log p(label) of each sample in float64; of 0 that of the smallest normal float32."""
    p = [float(row[label]) for row, label in zip(scores, labels, strict=True)]
    return [math.log(max(value, 2.0**-126)) for value in p]


@pytest.mark.parametrize('samples', [1, 97, 300])
def test_batches_and_samples(samples: int):
    scores, labels = predictions(samples)
    whole, one_by_one = (BatchEvaluator.like(Evaluator([MeanLogProbability()])) for _ in range(2))
    for batch in parts(scores, labels, 32):
        whole.process(batch)
        assert batch.untouched
        one_by_one.process(list(batch))
    expected = naive(scores, labels)
    for evaluator in (whole, one_by_one):
        metrics = evaluator.evaluate(samples)
        assert metrics == {'log_probability/mean': pytest.approx(np.mean(expected), rel=1e-12)}
        found = evaluator.metrics[0].sample_scores('mean')
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_it_is_minus_the_cross_entropy_of_the_logits():
    logits = torch.randn(50, 7, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(50) % 7
    metric = MeanLogProbability()
    metric.process_batch(logits.softmax(1), labels)
    found = metric.evaluate(50)['log_probability/mean']
    expected = -torch.nn.functional.cross_entropy(logits.double(), labels).item()
    assert found == pytest.approx(expected, rel=1e-6)


def test_certain_and_wrong_is_finite_but_nan_stays_nan():
    metric = MeanLogProbability()
    metric.process_batch(torch.tensor([[1.0, 0.0]]), torch.tensor([1]))
    assert metric.evaluate(1)['log_probability/mean'] == pytest.approx(-87.3, abs=0.1)
    metric.process_batch(torch.tensor([[math.nan, math.nan]]), torch.tensor([1]))
    assert math.isnan(metric.evaluate(1)['log_probability/mean'])


def test_two_processes_count_each_sample_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # mmengine collects through files
    expected = np.mean(naive(*predictions(11)))
    for found in evaluate_on_two_processes(MeanLogProbability):
        assert found == {'log_probability/mean': pytest.approx(expected, rel=1e-12)}


def test_samples_without_probabilities():
    with pytest.raises(ValueError, match=r"pred_score, .*; got \['feature'\]"):
        MeanLogProbability().process({}, [dict(feature=torch.zeros(2))])
