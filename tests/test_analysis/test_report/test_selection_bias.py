"""The winner's lead by chance, against sampling and closed forms."""

import math
from pathlib import Path

import pytest
from helpers.runs import TINY_SEARCH
from helpers.work_dirs import BASELINE, write_run
from test_null_drift import search_records

from amlfs_mm.analysis import estimate_bias, expected_maximum, lead_of_winner, read_run


def test_expected_maximum_of_normal_values():
    assert expected_maximum(1) == pytest.approx(0, abs=1e-9)
    assert expected_maximum(2) == pytest.approx(1 / math.sqrt(math.pi))
    assert expected_maximum(3) == pytest.approx(1.5 / math.sqrt(math.pi))
    assert expected_maximum(32) == pytest.approx(2.0697, abs=1e-4)  # tables of order statistics


def test_the_lead_of_equally_good_candidates_is_that_by_chance(tmp_path: Path):
    records = search_records(lambda theta, noise: 80 + 0.5 * noise, updates=80)
    run = read_run(write_run(tmp_path / 'run', TINY_SEARCH, records=records))
    observed, by_chance = lead_of_winner(run)
    assert observed == pytest.approx(0.5 * expected_maximum(16), rel=0.2)
    assert by_chance == pytest.approx(observed, rel=0.2)


def test_validation_minus_test(tmp_path: Path):
    records = search_records(lambda theta, noise: 80 + noise, updates=3)
    best = max(records[-1]['reward'])
    search = write_run(tmp_path / 'a', TINY_SEARCH, records=records, test={'accuracy/top1': 75.0})
    plain = {2: {'accuracy/top1': 71.0}}
    plain = write_run(tmp_path / 'b', BASELINE, test={'accuracy/top1': 70.0}, validation=plain)
    validation, test, difference, *_ = estimate_bias([read_run(search)], 'accuracy/top1')
    assert (validation.mean, test.mean) == (best, 75.0)
    assert difference.mean == pytest.approx(best - 75.0)
    bias = estimate_bias([read_run(plain)], 'accuracy/top1')
    assert [value and value.mean for value in bias] == [71.0, 70.0, 1.0, None, None]
