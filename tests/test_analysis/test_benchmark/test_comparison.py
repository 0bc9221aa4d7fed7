"""Which runs are one config, and how their results are compared."""

import shutil
from pathlib import Path

import pytest
from helpers.work_dirs import BASELINE, TINY_SEARCH, make_result, write_run

from amlfs_mm.analysis import (
    compare_paired,
    compare_results,
    find_runs,
    group_runs,
    holm,
    results_of,
    rows_as_data,
    tabulate,
)


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
    results = results_of(find_runs([tmp_path]), 'accuracy/top1')
    rows = compare_results(results, 'accuracy/top1', ['baseline_resnet20_digits'])
    assert [row.test and row.test.mean for row in rows] == [90.5, 91.0, None]
    differences = [row.differences['baseline_resnet20_digits'] for row in rows]
    assert [d and d.mean.mean for d in differences] == [None, 0.5, None]

    with pytest.raises(ValueError, match=r"no metric 'reid/mAP'; it has \['accuracy/top1'\]"):
        compare_results(results, 'reid/mAP', [])
    with pytest.raises(ValueError, match=r"controls \['frozen'\]; there are"):
        compare_results(results, 'accuracy/top1', ['frozen'])
    write_run(tmp_path / 'again', BASELINE, 1)
    with pytest.raises(ValueError, match=r'again.* are the same config and the same seed, 1'):
        group_runs(find_runs([tmp_path]))


@pytest.mark.parametrize('weights', [None, 'pretrained.pth'])
def test_a_resumed_run_belongs_to_the_others(tmp_path: Path, weights: str | None):
    """Its config names no weights, or the checkpoint from which it went on."""
    start = {'load_from': weights} if weights else {}
    write_run(tmp_path / '0', BASELINE, 0, **start)
    write_run(tmp_path / '1', BASELINE, 1, resume=True, load_from=None)
    write_run(tmp_path / '2', BASELINE, 2, resume=True, load_from='epoch_5.pth')
    (members,) = group_runs(find_runs([tmp_path])).values()
    assert [run.seed for run in members] == [0, 1, 2]

    write_run(tmp_path / '3', BASELINE, 3, load_from='other.pth')
    with pytest.raises(ValueError, match=rf'1 was resumed.*: {weights} or other.pth'):
        group_runs(find_runs([tmp_path]))
    shutil.rmtree(tmp_path / '1')
    shutil.rmtree(tmp_path / '2')
    named = {name: len(runs) for name, runs in group_runs(find_runs([tmp_path])).items()}
    assert named == {
        f'baseline_resnet20_digits (load_from={weights or "not given"})': 1,
        'baseline_resnet20_digits (load_from=other.pth)': 1,
    }


METRIC = 'accuracy/top1'
VALUES = {
    'plain': [80.0, 81.0, 79.5, 80.2],
    'frozen': [81.0, 82.5, 80.9, 81.0],
    'search': [82.5, 82.6, 81.5, 83.0],
}


def test_p_values_are_corrected_for_the_comparisons_in_the_table():
    results = [
        make_result(name, seed, value)
        for name, values in VALUES.items()
        for seed, value in enumerate(values)
    ]
    by_seed = {name: dict(enumerate(values)) for name, values in VALUES.items()}
    pairs = [('frozen', 'plain'), ('search', 'plain'), ('search', 'frozen')]
    p_values = [compare_paired(by_seed[one], by_seed[other]).p for one, other in pairs]
    # Three comparisons: a pair and its reverse are one.
    rows = {row.name: row for row in compare_results(results, METRIC, ['plain', 'frozen'])}
    found = [rows[one].differences[other] for one, other in pairs]
    assert [difference.p for difference in found] == pytest.approx(p_values)
    assert [difference.corrected for difference in found] == pytest.approx(holm(p_values))
    reverse = rows['plain'].differences['frozen']
    assert (reverse.mean.mean, reverse.corrected) == (-found[0].mean.mean, found[0].corrected)
    # With one control the family is smaller.
    (_, one, other) = compare_results(results, METRIC, ['plain'])
    corrected = [row.differences['plain'].corrected for row in (one, other)]
    assert corrected == pytest.approx(holm(p_values[:2]))


def test_a_table_as_text_and_as_data():
    results = [make_result('plain', seed, 80.0 + seed) for seed in (0, 1)]
    results += [make_result('search', 0, 82.0), make_result('search', 0, 83.0, model='best')]
    rows = compare_results(results, METRIC, ['plain'])
    lines = tabulate(rows, ['plain']).splitlines()
    assert [line.split(' | ')[0] for line in lines[2:]] == [
        '| plain',
        '| search',
        '| search (best epoch)',
    ]
    assert lines[4].endswith('| 83.00 | 3.00 (one seed) |')
    plain, search, _ = rows_as_data(rows)
    assert plain['test']['mean'] == 80.5
    assert search['differences'] == {'plain': dict(mean=2.0, half=None, n=1, p=None, p_holm=None)}


def test_two_results_of_one_seed():
    results = [make_result('plain', 0, 80.0), make_result('plain', 0, 81.0)]
    with pytest.raises(ValueError, match='two results of plain, seed 0'):
        compare_results(results, METRIC, [])
