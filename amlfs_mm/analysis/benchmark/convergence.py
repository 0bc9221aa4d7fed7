"""Whether training has converged: the trend of the metric on D_v over the last fifth of epochs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ..runs.run import curve
from .comparison import group_results
from .results import Result
from .statistics import LEVEL, Mean, describe_no_test, describe_p, mean_interval, p_of_zero_mean


class Convergence(NamedTuple):
    """The trend of a metric on D_v over the last fifth of the epochs.

    Attributes:
        name: Of the results.
        first: The first epoch of the last fifth.
        last: The last epoch.
        slope: Mean over seeds of the slope of the least-squares line, per epoch.
        change: The same, times the epochs from the first to the last one.
        p: Of the t-test that the mean slope is 0; None with one seed, or without a spread.
    """

    name: str
    first: int
    last: int
    slope: Mean
    change: Mean
    p: float | None

    @property
    def verdict(self) -> str:
        """Whether the metric still rises or falls, by the test at 5 %."""
        if self.p is None:
            return describe_no_test(self.slope.n)
        trend = 'flat' if self.p >= 1 - LEVEL else 'rising' if self.slope.mean > 0 else 'falling'
        return f'{trend}, {describe_p(self.p)}'


def measure_convergence(results: Iterable[Result], metric: str) -> list[Convergence]:
    """The trend of each config's metric on D_v, of the runs' last models.

    Results without this metric on D_v, or with fewer than three values in the last fifth, are left
    out.

    Raises:
        ValueError: Runs of one config ended with different epochs, or two results have one name and
            one seed.
    """
    found = []
    for name, members in group_results(
        r for r in results if r.model in ('last', 'control')
    ).items():
        curves = [
            (r, curve(r.validation, metric, name))
            for r in members
            if any(metric in values for values in r.validation.values())
        ]
        if not curves:
            continue
        ends = {max(values) if r.epoch is None else r.epoch for r, values in curves}
        if len(ends) > 1:
            raise ValueError(f'the runs of {name} ended with different epochs: {sorted(ends)}')
        last = ends.pop()
        first = last - last // 5 + 1
        found_slopes = [slope_from(values, first) for _, values in curves]
        slopes = [slope for slope in found_slopes if slope is not None]
        if slopes:
            length = last - first
            found.append(
                Convergence(
                    name,
                    first,
                    last,
                    mean_interval(slopes),
                    mean_interval([length * slope for slope in slopes]),
                    p_of_zero_mean(slopes),
                )
            )
    return found


def slope_from(values: dict[int, float], first: int) -> float | None:
    """Slope of the least-squares line from an epoch on; None for fewer than three values."""
    epochs = sorted(epoch for epoch in values if epoch >= first)
    if len(epochs) < 3:
        return None
    x = np.array(epochs) - np.mean(epochs)
    # Minus the first value: the slope of a constant curve is then 0 without a rounding error.
    y = [values[epoch] - values[epochs[0]] for epoch in epochs]
    return float(x @ y / (x @ x))


def describe_convergence(trends: list[Convergence]) -> str:
    """A Markdown table of the trends."""
    lines: list[list[object]] = [
        ['config', 'epochs', 'slope per epoch', 'change over these epochs', 'trend'],
        ['---'] * 5,
    ]
    for trend in trends:
        half = '' if trend.slope.half is None else f' ± {trend.slope.half:.3f}'
        epochs = f'{trend.first} to {trend.last}'
        slope = f'{trend.slope.mean:.3f}{half}'
        lines.append([trend.name, epochs, slope, trend.change, trend.verdict])
    return '\n'.join('| ' + ' | '.join(map(str, line)) + ' |' for line in lines)
