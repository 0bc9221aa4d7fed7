"""Verification against the ten folds read literally, and TAR@FAR against a count."""

import math

import numpy as np
import pytest
import torch
from sklearn.model_selection import KFold

from amlfs_mm.evaluation import true_accept_rates, verification_accuracy
from amlfs_mm.evaluation.faces.verification import draw_pairs


def naive_distances(a, b) -> np.ndarray:
    result = []
    for one, other in zip(np.asarray(a, np.float64), np.asarray(b, np.float64), strict=True):
        one, other = (x / math.sqrt(sum(x * x)) for x in (one, other))
        result.append(sum((one - other) ** 2))
    return np.array(result)


def naive_accuracy(a, b, is_same, folds: int) -> dict:
    """Every threshold of 0, 0.01, ..., 3.99 on every fold's other pairs; the first of the best."""
    distance, same = naive_distances(a, b), np.asarray(is_same, bool)
    d, s = distance.tolist(), same.tolist()
    accuracies, thresholds = [], []
    for train, test in KFold(folds, shuffle=False).split(distance):
        best, best_right = None, -1
        for threshold in np.arange(0, 4, 0.01).tolist():
            right = sum((d[i] < threshold) == s[i] for i in train.tolist())
            if right > best_right:
                best, best_right = threshold, right
        accuracies.append(np.mean((distance[test] < best) == same[test]))
        thresholds.append(best)
    return dict(
        accuracy=100 * np.mean(accuracies),
        accuracy_std=100 * np.std(accuracies),
        threshold=np.mean(thresholds),
    )


def pairs(seed: int, n: int, noise: float = 1.0, dim: int = 8) -> tuple:
    draw = np.random.default_rng(seed)
    same = draw.random(n) < 0.5
    a = draw.standard_normal((n, dim))
    b = np.where(
        same[:, None], a + noise * draw.standard_normal((n, dim)), draw.standard_normal((n, dim))
    )
    return a * draw.uniform(0.1, 9, (n, 1)), b, same


@pytest.mark.parametrize(
    ('n', 'folds', 'noise'), [(40, 10, 1.0), (23, 10, 1.0), (10, 10, 0.5), (30, 2, 0), (25, 3, 9.0)]
)
def test_is_ten_folds(n: int, folds: int, noise: float):
    a, b, same = pairs(n, n, noise)
    expected = pytest.approx(naive_accuracy(a, b, same, folds), abs=1e-9)
    assert verification_accuracy(a, b, same, folds) == expected
    tensors = torch.tensor(a, requires_grad=True), torch.tensor(b), torch.tensor(same)
    assert verification_accuracy(*tensors, folds) == expected
    assert verification_accuracy(a, b, same.astype(int).tolist(), folds) == expected


def test_folds_are_consecutive():
    """The last fold's pairs look the other way round than all others', and are told wrong."""
    same = np.tile([True, False], 10)
    a = np.tile([1.0, 0.0], (20, 1))
    b = np.where(same[:, None], [1.0, 0.1], [0.0, 1.0])
    b[18:] = b[19:17:-1]
    result = verification_accuracy(a, b, same)
    assert (result['accuracy'], result['accuracy_std']) == pytest.approx((90, 30))
    # The squared distance of [1, 0] to [1, 0.1] is 0.00993: the first threshold above accepts it.
    assert result['threshold'] == pytest.approx(0.01)


def test_a_distance_on_a_threshold_is_not_accepted():
    """Pairs at a squared distance of exactly 2, and same images at 0."""
    a, b = np.eye(2)[[0] * 8], np.eye(2)[[0, 1] * 4]
    assert verification_accuracy(a, b, [True, False] * 4, folds=4)['accuracy'] == 100
    # With 2 told same by mistake only thresholds above it are right.
    result = verification_accuracy(a, b, [False, True] * 4, folds=4)
    assert (result['accuracy'], result['threshold']) == (50, 0)


@pytest.mark.parametrize('seed', range(5))
def test_true_accept_rates(seed: int):
    a, b, same = pairs(seed, 300)
    distance = naive_distances(a, b)
    shares = (0, 1e-3, 0.01, 0.1, 0.5)
    rates = true_accept_rates(a, b, same, shares)
    impostors = sorted(distance[~same])
    for share in shares:
        # The highest threshold at which no more than the share of impostors is below it.
        threshold = max(t for t in impostors if np.mean([d < t for d in impostors]) <= share)
        expected = 100 * np.mean([d < threshold for d in distance[same]])
        assert rates[f'tar_at_far_{share:g}'] == pytest.approx(expected)
    assert list(rates) == [
        'tar_at_far_0', 'tar_at_far_0.001', 'tar_at_far_0.01', 'tar_at_far_0.1', 'tar_at_far_0.5',
    ]  # fmt: skip


def test_true_accept_rate_of_equal_distances():
    """Two impostors at one distance: one of ten is allowed, so neither is, nor what is as far."""
    angles = np.concatenate([np.linspace(1.0, 1.5, 8), [0.5, 0.5], [0.4, 0.5, 0.6]])
    b = np.stack([np.cos(angles), np.sin(angles)], 1)
    same = np.arange(13) >= 10
    rates = true_accept_rates(np.tile([1.0, 0.0], (13, 1)), b, same, (0.1, 0.2))
    assert rates == pytest.approx({'tar_at_far_0.1': 100 / 3, 'tar_at_far_0.2': 100})


@pytest.mark.parametrize('function', [verification_accuracy, true_accept_rates])
@pytest.mark.parametrize(
    ('change', 'says'),
    [
        (dict(features_b=np.ones((11, 3))), r'\(12, 3\) and \(11, 3\)'),
        (dict(features_b=np.ones((12, 4))), r'\(12, 3\) and \(12, 4\)'),
        (dict(features_a=np.ones(12), features_b=np.ones(12)), r'\(12,\) and \(12,\)'),
        (dict(features_a=np.ones((0, 3)), features_b=np.ones((0, 3)), is_same=[]), r'\(0, 3\)'),
        (dict(is_same=[True] * 11), r'is_same has shape \(11,\), but there are 12 pairs'),
        (dict(is_same=[0, 1, 2] * 4), r'holds flags, got \[2\]'),
        (dict(features_b=np.full((12, 3), np.nan)), 'features_b are not finite, first in row 0'),
    ],
)
def test_bad_input(function, change: dict, says: str):
    good = dict(
        features_a=np.ones((12, 3)), features_b=np.eye(12, 3) + 1, is_same=[True, False] * 6
    )
    function(**good)
    with pytest.raises(ValueError, match=says):
        function(**{**good, **change})


@pytest.mark.parametrize('folds', [0, 1, 13])
def test_too_few_pairs_for_the_folds(folds: int):
    with pytest.raises(ValueError, match=f'folds={folds} of 12 pairs'):
        verification_accuracy(np.ones((12, 3)), np.ones((12, 3)), [True] * 12, folds)


def test_pairs_of_one_kind_have_no_true_accept_rate():
    with pytest.raises(ValueError, match='of 12 pairs 12 are same'):
        true_accept_rates(np.ones((12, 3)), np.ones((12, 3)), [True] * 12)
    with pytest.raises(ValueError, match=r'shares in \[0, 1\), got \[1.5\]'):
        true_accept_rates(np.ones((2, 3)), np.ones((2, 3)), [True, False], (1.5,))


def test_drawn_pairs():
    """4, 3, 1 and 2 images a person: 6 + 3 + 0 + 1 pairs of one, as many of two, in disorder."""
    ids = [5, 9, 5, 7, 5, 9, 2, 2, 9, 5]
    first, second, is_same = draw_pairs(ids)
    same = {(i, j) for i in range(10) for j in range(i + 1, 10) if ids[i] == ids[j]}
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    assert {pair for pair, one in zip(pairs, is_same, strict=True) if one} == same
    assert len(set(pairs)) == len(pairs) == 2 * len(same) == 20
    assert all((ids[i] == ids[j]) == one for (i, j), one in zip(pairs, is_same, strict=True))
    assert 0 < is_same[:10].sum() < 10
    for again, one in zip(draw_pairs(ids), (first, second, is_same), strict=True):
        np.testing.assert_array_equal(again, one)
    assert draw_pairs(ids, seed=1)[0].tolist() != first.tolist()


@pytest.mark.parametrize(('ids', 'says'), [([1, 2, 3], '0 pairs of one'), ([1, 1], '0 of two')])
def test_nothing_to_draw_pairs_from(ids: list[int], says: str):
    with pytest.raises(ValueError, match=says):
        draw_pairs(ids)
