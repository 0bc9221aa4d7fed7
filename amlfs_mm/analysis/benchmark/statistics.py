"""Means over seeds with their intervals, paired tests, and Holm's correction of their p-values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from amlfs_mm.utils.optional_imports import needs_extra

with needs_extra('analysis', 'statistics of runs'):
    from scipy import stats

LEVEL = 0.95


class Mean(NamedTuple):
    """A mean over seeds.

    Attributes:
        mean: Mean of the values.
        half: Half the width of its 95 % t-interval; None with one value.
        n: Number of values.
    """

    mean: float
    half: float | None
    n: int

    def __str__(self) -> str:
        return f'{self.mean:.2f}' + ('' if self.half is None else f' ± {self.half:.2f}')


class Difference(NamedTuple):
    """A mean difference over common seeds, with the p-value of the paired t-test.

    Attributes:
        mean: Of the differences.
        p: The p-value; None with one seed, or if the difference is the same for all seeds.
        corrected: The p-value after :func:`holm`, over all comparisons of a table. None if it was
            not corrected.
    """

    mean: Mean
    p: float | None
    corrected: float | None = None

    @property
    def separated(self) -> bool:
        """Whether the test tells the two apart at 5 %: by the corrected p-value if there is one."""
        p = self.p if self.corrected is None else self.corrected
        return p is not None and p < 1 - LEVEL

    @property
    def verdict(self) -> str:
        """Outcome of the test and number of seeds, as text."""
        if self.p is None:
            return describe_no_test(self.mean.n)
        p = describe_p(self.p if self.corrected is None else self.corrected)
        return f'{p if self.separated else f"not separated, {p}"}, n = {self.mean.n}'

    def __str__(self) -> str:
        return f'{self.mean} ({self.verdict})'


def describe_p(p: float) -> str:
    """A p-value as text, with three decimals."""
    return 'p < 0.001' if p < 0.001 else f'p = {p:.3f}'


def describe_no_test(n: int) -> str:
    """Why there is no p-value of n values, as text."""
    return 'one seed' if n == 1 else f'not tested: no spread, n = {n}'


def mean_interval(values: Sequence[float]) -> Mean:
    """The mean of independent values with its 95 % t-interval."""
    n = len(values)
    half = None if n < 2 else float(stats.t.ppf((1 + LEVEL) / 2, n - 1) * stats.sem(values))
    return Mean(float(np.mean(values)), half, n)


def p_of_zero_mean(values: Sequence[float]) -> float | None:
    """The p-value of the t-test that independent values have the mean 0.

    None for one value, and for equal values other than 0. A metric of few steps, such as rank-1 of
    90 probes, gives equal differences by chance, and the t statistic is then infinite. Of values
    that are all 0 it is 1.
    """
    if len(values) < 2:
        return None
    if np.ptp(values) <= 1e-9 * np.max(np.abs(values)):  # equal but for rounding
        return 1.0 if values[0] == 0 else None
    return float(stats.ttest_1samp(values, 0.0).pvalue)


def compare_paired(
    one: dict[int | None, float], other: dict[int | None, float]
) -> Difference | None:
    """``one`` minus ``other``, paired by seed; None without a common seed.

    Args:
        one: Values by seed.
        other: Values by seed.
    """
    difference = [one[seed] - other[seed] for seed in one if seed in other]
    if not difference:
        return None
    return Difference(mean_interval(difference), p_of_zero_mean(difference))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of a family of tests, corrected for their number.

    The k-th smallest of m becomes (m - k + 1) times as large, is at least the corrected one before
    it, and at most 1. All tests whose corrected p-value is below a level together have at most that
    chance of a false finding, however they depend on each other (Holm, Scandinavian Journal of
    Statistics 6, 1979).

    Returns:
        The corrected p-values, in the order of the given ones.
    """
    order = np.argsort(p_values)
    factors = np.arange(len(order), 0, -1)
    raised = np.maximum.accumulate(factors * np.asarray(p_values, dtype=float)[order])
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(raised, 1.0)
    return corrected.tolist()
