"""The estimated number of wrong labels, on simulated noise whose number is known."""

from __future__ import annotations

import numpy as np
import pytest

from amlfs_mm.analysis.label_errors.noise_estimate import (
    confident_classes,
    confident_pairs,
    corrected_share,
    count_matrix,
    estimate_noise,
)
from amlfs_mm.analysis.label_errors.predictions import Predictions
from amlfs_mm.analysis.label_errors.ranking import rank_samples

CLASSES = 5


def simulate(
    share: float, seed: int, count: int = 3000, to: str = 'any', sharpness: float = 3.0
) -> tuple[Predictions, np.ndarray]:
    """A model that is right about the true class in most cases, and never saw the given label."""
    draw = np.random.default_rng(seed)
    true = draw.integers(CLASSES, size=count)
    step = 1 if to == 'next' else draw.integers(1, CLASSES, size=count)
    given = np.where(draw.random(count) < share, (true + step) % CLASSES, true)
    logits = draw.normal(size=(count, CLASSES))
    logits[np.arange(count), true] += sharpness
    every = np.exp(logits)
    every /= every.sum(1, keepdims=True)
    top = np.argsort(-every, axis=1)
    own = every[np.arange(count), given]
    ones = np.ones(count)
    return (
        Predictions(given, own, ones, top, np.take_along_axis(every, top, 1), CLASSES, every),
        true,
    )


def naive_joint(predictions: Predictions) -> dict:
    """The calibrated confident joint by loops (Northcutt et al. 2021, equations 1 to 3)."""
    given, every = predictions.given, predictions.every.astype(np.float64)
    threshold = [every[given == j, j].mean() for j in range(CLASSES)]
    joint = np.zeros((CLASSES, CLASSES))
    for label, row in zip(given, every, strict=True):
        sure = [j for j in range(CLASSES) if row[j] >= threshold[j]]
        if sure:
            joint[label, max(sure, key=lambda j: row[j])] += 1
    for label in range(CLASSES):
        joint[label] *= (given == label).sum() / joint[label].sum()
    return {
        (i, j): joint[i, j]
        for i in range(CLASSES)
        for j in range(CLASSES)
        if i != j and joint[i, j]
    }


def test_the_confident_joint():
    predictions, _ = simulate(0.3, seed=0)
    found = confident_pairs(predictions, confident_classes(predictions))
    assert found == pytest.approx(naive_joint(predictions))


def test_it_is_that_of_cleanlab():
    count = pytest.importorskip('cleanlab.count')
    predictions, _ = simulate(0.3, seed=1)
    joint = count.compute_confident_joint(predictions.given, predictions.every, calibrate=False)
    found = confident_pairs(predictions, confident_classes(predictions))
    members = np.bincount(predictions.given)
    for (row, column), number in found.items():
        assert number == pytest.approx(joint[row, column] * members[row] / joint[row].sum())


def test_a_class_without_samples_is_never_the_confident_one():
    predictions, _ = simulate(0.2, seed=2)
    predictions.given[predictions.given == 4] = 3
    assert 4 not in confident_classes(predictions)
    assert np.isfinite(estimate_noise(predictions).wrong)


@pytest.mark.parametrize('to', ['any', 'next'])
@pytest.mark.parametrize('share', [0.0, 0.1, 0.2, 0.4])
def test_the_interval_holds_the_truth(share: float, to: str):
    """In 8 of 10 simulations at least; by chance fewer are a few per cent likely."""
    held = 0
    for seed in range(10):
        train, true = simulate(share, seed, to=to)
        val, _ = simulate(0.0, seed=100 + seed, count=800)
        estimate = estimate_noise(train, val)
        wrong = (train.given != true).sum()
        held += estimate.low <= wrong <= estimate.high
        assert estimate.low <= estimate.wrong <= estimate.high
        assert abs(estimate.wrong - wrong) < 0.12 * len(train)
    assert held >= 8


def test_errors_of_the_model_are_taken_off():
    train, true = simulate(0.2, seed=3, count=20_000, sharpness=1.5)
    val, _ = simulate(0.0, seed=4, count=20_000, sharpness=1.5)
    disagree = (train.given != train.suggested).mean()
    counts = [count_matrix(p.given, p.suggested, CLASSES) for p in (train, val)]
    found = corrected_share(*counts)
    assert abs(found - (train.given != true).mean()) < 0.02
    assert disagree > 0.4


def test_the_confusion_of_pair_noise():
    train, true = simulate(0.3, seed=5, count=10_000, to='next', sharpness=6.0)
    pairs = estimate_noise(train).pairs
    for given in range(CLASSES):
        likely = (given - 1) % CLASSES
        number = ((train.given == given) & (true == likely)).sum()
        assert pairs[given, likely] == pytest.approx(number, rel=0.1)


def test_labels_learned_by_heart_are_noticed():
    train, _ = simulate(0.0, seed=6, sharpness=9.0)
    val, _ = simulate(0.0, seed=7, sharpness=1.0)
    assert estimate_noise(train, val).learned_by_heart
    assert not estimate_noise(val, val).learned_by_heart
    assert not estimate_noise(train).learned_by_heart  # without D_v nobody knows


@pytest.mark.parametrize('method', ['p', 'weight', 'cleanlab'])
def test_rankings_find_the_wrong_ones(method: str):
    if method == 'cleanlab':
        pytest.importorskip('cleanlab')
    train, true = simulate(0.2, seed=8, sharpness=5.0)
    train.weight = np.where(train.probability < 0.2, 0.1, 1.0)
    ranks = rank_samples(train, method)
    assert sorted(ranks) == list(range(1, len(train) + 1))
    wrong = train.given != true
    assert wrong[ranks <= wrong.sum()].mean() > 0.95
    if method != 'cleanlab':  # equal weights: by the probability
        assert train.probability[ranks == 1] == train.probability.min()


def test_an_unknown_ranking():
    with pytest.raises(ValueError, match=r"one of \['p', 'weight', 'cleanlab'\], got 'loss'"):
        rank_samples(simulate(0.2, seed=0)[0], 'loss')
