"""The table of tools/analysis/compare_seeds.py is what the runs' files say."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, TINY_SEARCH, run
from scipy import stats

TOOL = [sys.executable, 'tools/analysis/compare_seeds.py']
BASELINE = ROOT / 'configs' / 'baseline_resnet20_digits.py'


def test_table_of_finished_runs(tmp_path: Path):
    results = dict(baseline_resnet20_digits=[90.0, 88.5, 91.0], tiny_search=[92.5, 93.0, 91.5])
    for name, values in results.items():
        for seed, value in enumerate(values):
            work_dir = tmp_path / f'{name}_seed{seed}'
            work_dir.mkdir()
            (work_dir / 'test.json').write_text(json.dumps({'accuracy/top1': value}))
            compute = dict(candidate_epochs=20 * len(name), images=897 * 20 * len(name))
            (work_dir / 'compute.json').write_text(json.dumps(compute))
    arguments = ['--seeds', '0', '1', '2', '--work-dir', tmp_path]
    done = run([*TOOL, BASELINE, TINY_SEARCH, *arguments])
    assert done.returncode == 0, done.stdout
    rows = re.findall(r'^\| (\w+) \| (\d+) \| (\d+) \| (.*?) \| (.*?) ?\|$', done.stdout, re.M)
    assert [row[0] for row in rows] == list(results)
    assert [row[1:3] for row in rows] == [
        (str(20 * len(name)), str(897 * 20 * len(name))) for name in results
    ]
    plain, search = (np.array(values) for values in results.values())
    assert [row[3] for row in rows] == [expected(plain), expected(search)]
    assert [row[4] for row in rows] == [expected(search - plain), '']

    done = run([*TOOL, BASELINE, '--metric', 'reid/mAP', '--work-dir', tmp_path])
    assert done.returncode != 0
    assert "no metric 'reid/mAP'; it has ['accuracy/top1']" in done.stdout


def expected(values: np.ndarray) -> str:
    error = values.std(ddof=1) / np.sqrt(len(values))
    half = stats.t.interval(0.95, len(values) - 1, values.mean(), error)[1] - values.mean()
    return f'{values.mean():.2f} ± {half:.2f}'


@pytest.mark.slow
def test_runs_what_is_missing(tmp_path: Path):
    done = run([*TOOL, TINY_SEARCH, '--seeds', '0', '1', '--work-dir', tmp_path])
    assert done.returncode == 0, done.stdout
    measured = [
        json.loads((tmp_path / f'tiny_search_seed{seed}' / 'test.json').read_text())
        for seed in (0, 1)
    ]
    values = np.array([metrics['accuracy/top1'] for metrics in measured])
    assert expected(values) in done.stdout
    consoles = sorted(tmp_path.glob('*/console.log'))
    before = [console.stat().st_mtime_ns for console in consoles]
    run([*TOOL, TINY_SEARCH, '--seeds', '0', '1', '--work-dir', tmp_path])
    assert [console.stat().st_mtime_ns for console in consoles] == before
