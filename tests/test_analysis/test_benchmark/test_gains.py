"""What the figures of a benchmark show."""

import pytest
from helpers.work_dirs import make_result

from amlfs_mm.analysis.benchmark.gains import curves_of, gains_over

METRIC = 'accuracy/top1'


def results() -> list:
    curve = {1: 50.0, 2: 60.0}
    return [
        make_result('baseline_mlp_x', 0, 80.0, validation=curve),
        make_result('baseline_mlp_x', 1, 81.0, validation=curve),
        make_result('baseline_mlp_x', 0, 82.0, model='best', validation=curve),
        make_result('baseline_mlp_x_long', 0, 79.0, validation=curve),
        make_result('amlfs_mlp_x', 0, 83.0, validation=curve),
        make_result('amlfs_mlp_x', 1, 86.0, validation=curve),
        make_result('amlfs_mlp_x_b4', 7, 83.0, validation=curve),
    ]


def test_gains():
    gains = gains_over(results(), 'baseline')
    assert {name: gain.mean for name, gain in gains.items()} == {
        'baseline (best epoch)': 2.0,
        'baseline_long': -1.0,
        'amlfs': 4.0,  # amlfs_b4 shares no seed
    }
    assert list(gains_over(results(), 'baseline_long', ['amlfs'])) == ['amlfs']
    with pytest.raises(ValueError, match=r"no results of \['frozen'\]; there are \['baseline'"):
        gains_over(results(), 'baseline', ['frozen'])


def test_curves():
    curves = curves_of(results(), METRIC)
    assert list(curves) == ['baseline', 'baseline_long', 'amlfs', 'amlfs_b4']
    assert curves['baseline'] == [{1: 50.0, 2: 60.0}] * 2
    with pytest.raises(ValueError, match=r"amlfs has no 'reid/mAP' on D_v; it has \['accuracy"):
        curves_of(results(), 'reid/mAP', ['amlfs'])
