"""The trend over the last fifth of the epochs is a least-squares line's, tested over seeds."""

import numpy as np
import pytest
from helpers.work_dirs import make_result
from scipy import stats

from amlfs_mm.analysis import describe_convergence, measure_convergence

METRIC = 'accuracy/top1'


def curves(slope: float) -> list[dict[int, float]]:
    """Four seeds of 20 epochs: steep at first, then with a slope and noise."""
    generator = np.random.default_rng(1)
    return [
        {
            epoch: min(5.0 * epoch, 80 + slope * (epoch - 16)) + generator.normal(0, 0.1)
            for epoch in range(1, 21)
        }
        for _ in range(4)
    ]


@pytest.mark.parametrize(('slope', 'verdict'), [(0.0, 'flat'), (1.0, 'rising'), (-1.0, 'falling')])
def test_trend(slope: float, verdict: str):
    seeds = curves(slope)
    results = [
        make_result('plain', s, 80.0, validation=c)._replace(epoch=20) for s, c in enumerate(seeds)
    ]
    results.append(make_result('unmeasured', 0, 80.0))
    (trend,) = measure_convergence(results, METRIC)
    expected = [np.polyfit(range(17, 21), [c[e] for e in range(17, 21)], 1)[0] for c in seeds]
    assert (trend.first, trend.last) == (17, 20)
    assert trend.slope.mean == pytest.approx(np.mean(expected))
    assert trend.change.mean == pytest.approx(3 * np.mean(expected))
    assert trend.p == pytest.approx(stats.ttest_1samp(expected, 0).pvalue)
    assert trend.verdict.startswith(verdict)
    line = describe_convergence([trend]).splitlines()[2]
    assert line.startswith(f'| plain | 17 to 20 | {np.mean(expected):.3f} ± ')


def test_too_few_values_and_unequal_lengths():
    short = [make_result('plain', 0, 80.0, validation={e: 50.0 + e for e in range(1, 11)})]
    short = [short[0]._replace(epoch=10)]
    assert measure_convergence(short, METRIC) == []  # the last fifth has two
    longer = make_result('plain', 1, 80.0, validation={e: 50.0 + e for e in range(1, 21)})
    longer = longer._replace(epoch=20)
    with pytest.raises(ValueError, match=r'runs of plain ended with different epochs: \[10, 20\]'):
        measure_convergence([*short, longer], METRIC)


def test_constant_curves_are_flat():
    """Without what rounding leaves of their slopes."""
    results = [
        make_result('plain', seed, 80.0, validation=dict.fromkeys(range(1, 16), value))._replace(
            epoch=15
        )
        for seed, value in enumerate([92.6, 94.4, 88.9, 90.7, 96.3])
    ]
    (trend,) = measure_convergence(results, METRIC)
    assert trend.slope.mean == 0
    assert trend.verdict == 'flat, p = 1.000'


def test_a_lost_last_round_is_no_shorter_run():
    """Then the last epoch has no reward."""
    whole = {epoch: 50.0 + epoch for epoch in range(1, 31)}
    lost = {epoch: value for epoch, value in whole.items() if epoch < 30}
    results = [
        make_result('search', seed, 80.0, validation=found)._replace(epoch=30)
        for seed, found in enumerate([whole, lost])
    ]
    (trend,) = measure_convergence(results, METRIC)
    assert (trend.first, trend.last) == (25, 30)
    assert trend.slope.mean == pytest.approx(1)
