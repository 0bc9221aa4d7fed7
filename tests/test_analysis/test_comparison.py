"""Means, intervals and paired tests against the formulas; which runs are one config."""

from pathlib import Path

import numpy as np
import pytest
from helpers.work_dirs import BASELINE, TINY_SEARCH, write_run
from scipy import stats

from amlfs_mm.analysis import compare_groups, compare_paired, find_runs, group_runs, mean_interval


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
    assert compare_paired({0: 2.0, 1: 3.0}, {0: 1.0, 1: 2.0}).separated


def test_runs_of_one_config_differ_in_the_seed_alone(tmp_path: Path):
    for seed in (0, 1):
        write_run(tmp_path / f'plain{seed}', BASELINE, seed, test={'accuracy/top1': 90.0 + seed})
        write_run(tmp_path / f'search{seed}', TINY_SEARCH, seed, test={'accuracy/top1': 91.0})
        option = {'loss_search.num_candidates': 2}
        write_run(tmp_path / f'two{seed}', TINY_SEARCH, seed, **option)
    groups = group_runs(find_runs([tmp_path]))
    assert {name: len(runs) for name, runs in groups.items()} == {
        'baseline_resnet20_digits': 2,
        'tiny_search (loss_search.num_candidates=4)': 2,
        'tiny_search (loss_search.num_candidates=2)': 2,
    }
    rows = compare_groups(groups, 'accuracy/top1', ['baseline_resnet20_digits'])
    assert [row.test and row.test.mean for row in rows] == [90.5, 91.0, None]
    differences = [row.differences['baseline_resnet20_digits'] for row in rows]
    assert [d and d.mean.mean for d in differences] == [None, 0.5, None]

    with pytest.raises(ValueError, match=r"no metric 'reid/mAP'; it has \['accuracy/top1'\]"):
        compare_groups(groups, 'reid/mAP', [])
    with pytest.raises(ValueError, match=r"controls \['frozen'\]; there are"):
        compare_groups(groups, 'accuracy/top1', ['frozen'])
    write_run(tmp_path / 'again', BASELINE, 1)
    with pytest.raises(ValueError, match=r'again.* are the same config and the same seed, 1'):
        group_runs(find_runs([tmp_path]))
