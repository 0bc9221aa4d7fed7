"""Means, intervals, paired tests and Holm's correction against their definitions."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from amlfs_mm.analysis import compare_paired, holm, mean_interval


def test_interval_is_the_t_interval():
    values = [92.5, 93.0, 91.5, 94.0]
    error = np.std(values, ddof=1) / 2
    low, high = stats.t.interval(0.95, 3, np.mean(values), error)
    mean = mean_interval(values)
    assert (mean.mean - mean.half, mean.mean + mean.half) == pytest.approx((low, high))
    assert str(mean_interval([5.0])) == '5.00'


@pytest.mark.parametrize(('shift', 'separated'), [(0.1, False), (3.0, True)])
def test_paired_difference(shift: float, separated: bool):
    one = {0: 90.0 + shift, 1: 80.5 + shift, 2: 70.0 + shift, 7: 0.0}
    other = {0: 90.0, 1: 80.0, 2: 70.5, 9: 0.0}
    difference = compare_paired(one, other)
    d = np.array([shift, shift + 0.5, shift - 0.5])  # of the common seeds
    t = d.mean() / (d.std(ddof=1) / np.sqrt(3))
    assert difference.p == pytest.approx(2 * stats.t.sf(abs(t), 2))
    assert difference.mean.mean == pytest.approx(shift)
    assert difference.separated == separated == (difference.p < 0.05)
    assert ('not separated' in str(difference)) != separated
    assert 'n = 3' in str(difference)


def test_degenerate_differences():
    assert compare_paired({0: 1.0}, {1: 1.0}) is None
    assert 'one seed' in str(compare_paired({0: 3.0}, {0: 1.0}))
    assert not compare_paired({0: 1.0, 1: 2.0}, {0: 1.0, 1: 2.0}).separated


def test_equal_differences_are_not_tested():
    """Rank-1 of 90 probes has few values: the same gain on two seeds is no proof."""
    ones, others = {0: 50 / 0.9, 1: 60 / 0.9}, {0: 51 / 0.9, 1: 61 / 0.9}
    difference = compare_paired(others, ones)
    assert difference.p is None
    assert not difference.separated
    assert str(difference) == '1.11 ± 0.00 (not tested: no spread, n = 2)'


def closed_testing(p_values: list[float]) -> list[float]:
    """Holm's correction from its definition as a closed test of Bonferroni's tests.

    A hypothesis is rejected if every set of hypotheses with it is: the worst set counts.
    """
    count = len(p_values)
    sets = [s for size in range(1, count + 1) for s in combinations(range(count), size)]
    bonferroni = {s: min(1.0, len(s) * min(p_values[i] for i in s)) for s in sets}
    return [max(p for s, p in bonferroni.items() if i in s) for i in range(count)]


@pytest.mark.parametrize(
    'p_values',
    [
        [],
        [0.03],
        [0.01, 0.04, 0.03],
        [0.5, 0.5, 0.001],
        [0.02, 0.02, 0.02, 0.02],
        np.random.default_rng(0).uniform(0, 0.2, 7).tolist(),
        [0.0, 1.0, 0.0],
    ],
)
def test_holm(p_values: list[float]):
    assert holm(p_values) == pytest.approx(closed_testing(p_values))


def test_a_corrected_p_decides():
    difference = compare_paired({0: 2.0, 1: 3.1, 2: 2.2}, {0: 1.0, 1: 2.0, 2: 1.0})
    assert difference.separated
    corrected = difference._replace(corrected=0.2)
    assert not corrected.separated
    assert str(corrected) == f'{difference.mean} (not separated, p = 0.200, n = 3)'
