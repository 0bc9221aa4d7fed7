"""The table of tools/analysis/benchmark.py is what the runs' files say."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.runs import TINY_SEARCH, run
from helpers.work_dirs import BASELINE, run_tool, write_run
from scipy import stats

TOOL = [sys.executable, 'tools/analysis/benchmark.py']


@pytest.mark.parametrize('given', ['configs', 'work dirs'])
def test_table_of_finished_runs(given: str, tmp_path: Path, capsys):
    results = {BASELINE: [90.0, 88.5, 91.0], TINY_SEARCH: [92.5, 93.0, 91.5]}
    for config, values in results.items():
        for seed, value in enumerate(values):
            work_dir = tmp_path / f'{config.stem}_seed{seed}'
            write_run(work_dir, config, seed, test={'accuracy/top1': value})
            compute = dict(candidate_epochs=10 * len(config.stem), images=8970 * len(config.stem))
            (work_dir / 'compute.json').write_text(json.dumps(compute))
    finished = [BASELINE, TINY_SEARCH, '--seeds', 0, 1, 2, '--work-dir', tmp_path]
    arguments = finished if given == 'configs' else [tmp_path]
    run_tool('benchmark.py', *arguments)
    rows = re.findall(r'^\| (.*) \|$', capsys.readouterr().out, re.M)
    header, _, *rows = ([cell.strip() for cell in row.split(' | ')] for row in rows)
    assert header[-1] == 'minus baseline_resnet20_digits'
    plain, search = (np.array(values) for values in results.values())
    for row, config, values in zip(rows, results, (plain, search), strict=True):
        n = len(config.stem)
        assert row[:5] == [config.stem, f'{10 * n:,}', f'{8970 * n:,}', '3', expected(values)]
    p = stats.ttest_rel(search, plain).pvalue
    difference = f'{expected(search - plain)} (not separated, p = {p:.3f}, n = 3)'
    assert [row[5] for row in rows] == ['', difference]

    for wrong, message in (
        (['--metric', 'reid/mAP'], r"no metric 'reid/mAP'; it has \['accuracy/top1'\]"),
        (['--controls', 'frozen'], r"no run of the controls \['frozen'\]; there are"),
    ):
        with pytest.raises(SystemExit, match=message):
            run_tool('benchmark.py', tmp_path, *wrong)


def expected(values: np.ndarray) -> str:
    error = values.std(ddof=1) / np.sqrt(len(values))
    half = stats.t.interval(0.95, len(values) - 1, values.mean(), error)[1] - values.mean()
    return f'{values.mean():.2f} ± {half:.2f}'


@pytest.mark.slow
def test_runs_what_is_missing(tmp_path: Path):
    # Two runs at a time, on one process each.
    command = [*TOOL, TINY_SEARCH, '--seeds', '0', '1', '--work-dir', tmp_path]
    done = run([*command, '--processes', '1', '--jobs', '2'])
    assert done.returncode == 0, done.stdout
    measured = [
        json.loads((tmp_path / f'tiny_search_seed{seed}' / 'test.json').read_text())
        for seed in (0, 1)
    ]
    values = np.array([metrics['accuracy/top1'] for metrics in measured])
    assert expected(values) in done.stdout
    consoles = sorted(tmp_path.glob('*/console.log'))
    before = [console.stat().st_mtime_ns for console in consoles]
    run(command)
    assert [console.stat().st_mtime_ns for console in consoles] == before


@pytest.mark.slow
def test_a_run_that_fails_is_named_and_ends_the_benchmark(tmp_path: Path):
    options = ['--processes', '1', '--jobs', '1', '--cfg-options', 'loss_search.reward=no/such']
    done = run([*TOOL, TINY_SEARCH, '--seeds', '0', '1', '--work-dir', tmp_path, *options])
    assert done.returncode != 0
    log = tmp_path / 'tiny_search_seed0' / 'console.log'
    assert f'failed: see {log}' in done.stdout
    assert 'no/such' in log.read_text()
    assert not (tmp_path / 'tiny_search_seed1').exists()


def test_two_runs_of_one_folder(tmp_path: Path):
    """They would train in it at the same time."""
    for arguments in ([TINY_SEARCH, '--seeds', 1, 1], [TINY_SEARCH, TINY_SEARCH, '--seeds', 1]):
        with pytest.raises(SystemExit, match='in one folder: tiny_search_seed1'):
            run_tool('benchmark.py', *arguments, '--work-dir', tmp_path, '--jobs', 2)
    assert not any(tmp_path.iterdir())


def test_a_config_that_is_not_there(tmp_path: Path):
    with pytest.raises(SystemExit, match=r'benchmark.py: there is no config nowhere.py'):
        run_tool('benchmark.py', TINY_SEARCH, 'nowhere.py', '--work-dir', tmp_path)
    assert not any(tmp_path.iterdir())


def test_jobs_below_one(capsys):
    with pytest.raises(SystemExit):
        run_tool('benchmark.py', TINY_SEARCH, '--jobs', '0')
    assert "argument --jobs: must be a whole number >= 1, got '0'" in capsys.readouterr().err
