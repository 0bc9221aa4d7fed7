"""The table of tools/analysis/benchmark.py is what the runs' files say."""

import fcntl
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.runs import ROOT, TINY_SEARCH, assert_equal, load, run
from helpers.work_dirs import BASELINE, run_tool, write_run
from scipy import stats

from amlfs_mm.analysis import read_results
from amlfs_mm.analysis.benchmark.loss_grid import StaticLoss

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


METRIC = 'accuracy/top1'


def finished_training(work_dir: Path, seed: int, curve: list[float], **options) -> None:
    """A baseline's run that was trained and kept its best epoch, and was not tested."""
    validation = {epoch: {METRIC: value} for epoch, value in enumerate(curve, 1)}
    write_run(work_dir, BASELINE, seed, validation=validation, **options)
    (work_dir / f'best_accuracy_top1_epoch_{curve.index(max(curve)) + 1}.pth').touch()
    compute = dict(candidate_epochs=len(curve), images=900 * len(curve))
    (work_dir / 'compute.json').write_text(json.dumps(compute))


LOSSES = (
    StaticLoss('softmax'),
    StaticLoss('robust', 0.5),
    StaticLoss('am_softmax', 0.35, scale=30),
)
# D_v by epoch; the best last epoch is robust's, the best epoch is am_softmax's.
CURVES = {
    0: ([60, 70, 65], [60, 71, 72], [50, 80, 61]),
    1: ([75, 70, 60], [75, 71, 55], [50, 60, 60]),
}
CHOSEN = {0: ('robust_b0.5', 'am_softmax_m0.35_s30'), 1: ('softmax', 'softmax')}


def finished_grid(folder: Path, tested: bool = True) -> None:
    name = BASELINE.stem
    for seed, curves in CURVES.items():
        for loss, curve in zip(LOSSES, curves, strict=True):
            work_dir = folder / 'grid' / f'{name}_{loss}_seed{seed}'
            finished_training(work_dir, seed, curve, **loss.options)
        grid = folder / f'grid3_of_{name}_seed{seed}'
        grid.mkdir()
        if tested:
            (grid / 'test.json').write_text(json.dumps({METRIC: 70.0 + seed}))
            (grid / 'test_best.json').write_text(json.dumps({METRIC: 75.0 + seed}))


def test_the_grid_is_what_is_best_on_held_out_data(tmp_path: Path, capsys):
    finished_grid(tmp_path)
    for seed in (0, 1):
        write_run(tmp_path / f'tiny_search_seed{seed}', seed=seed, test={METRIC: 80.0 - seed})
    arguments = ['--grid', BASELINE, '--grid-size', 3, '--seeds', 0, 1, '--work-dir', tmp_path]
    out = tmp_path / 'results.jsonl'
    run_tool(
        'benchmark.py', TINY_SEARCH, *arguments, '--out', out, '--json', tmp_path / 'table.json'
    )
    shown = capsys.readouterr().out
    name = f'grid3_of_{BASELINE.stem}'
    assert f'| {name} | 9 | 8,100 | 2 | {expected(np.array([70.0, 71.0]))} |' in shown
    assert f'| {name} (best epoch) | 9 | 8,100 | 2 | {expected(np.array([75.0, 76.0]))} |' in shown
    for place, suffix in enumerate(('', ' (best epoch)')):
        losses = ', '.join(f'{seed}: {CHOSEN[seed][place]}' for seed in (0, 1))
        assert f'{name}{suffix}, by seed: {losses}' in shown
    results = [r for r in read_results(out) if r.choice]
    assert [(r.seed, r.epoch) for r in results if r.model == 'last'] == [(0, 3), (1, 3)]
    assert [(r.seed, r.epoch) for r in results if r.model == 'best'] == [(0, 2), (1, 1)]
    table = json.loads((tmp_path / 'table.json').read_text())
    assert [row['name'] for row in table] == [name, f'{name} (best epoch)', 'tiny_search']
    # The table again: of the folder, and of the file.
    for path in (tmp_path, out):
        run_tool('benchmark.py', path, '--controls', name)
        again = capsys.readouterr().out
        assert f'| {name} | 9 |' in again
        assert '| tiny_search |' in again

    more = StaticLoss('focal', 2)
    (tmp_path / f'{name}_seed0' / 'grid.json').write_text(
        json.dumps(dict(seed=0, chosen={}, scores=[dict(loss=str(more))]))
    )
    with pytest.raises(SystemExit, match=r'holds a grid of other losses \(focal_alpha2\): remove'):
        run_tool('benchmark.py', TINY_SEARCH, *arguments)


def test_a_run_that_did_not_keep_its_best_epoch(tmp_path: Path):
    run = tmp_path / f'{BASELINE.stem}_seed0'
    finished_training(run, 0, [60.0, 70.0, 65.0])
    (run / 'test.json').write_text(json.dumps({METRIC: 70.0}))
    arguments = [BASELINE, '--work-dir', tmp_path]
    run_tool('benchmark.py', *arguments)  # what it kept besides does not matter
    (run / 'test_best.json').write_text(json.dumps({METRIC: 75.0}))
    run_tool('benchmark.py', *arguments, '--best-epoch')
    (run / 'best_accuracy_top1_epoch_2.pth').unlink()
    run_tool('benchmark.py', *arguments, '--best-epoch')
    with open(run / BASELINE.name, 'a') as config:
        config.write(f"default_hooks['checkpoint']['save_best'] = {METRIC!r}\n")
    with pytest.raises(SystemExit, match="by 'accuracy/top1', not by 'accuracy/top5'"):
        run_tool('benchmark.py', *arguments, '--best-epoch', '--metric', 'accuracy/top5')
    (run / 'test_best.json').unlink()
    with pytest.raises(
        SystemExit, match=r'has no best_accuracy_top1_epoch_2\.pth: the run did not'
    ):
        run_tool('benchmark.py', *arguments, '--best-epoch')
    for scalars in run.glob('*/vis_data/scalars.json'):
        lines = scalars.read_text().splitlines(keepends=True)
        scalars.write_text(''.join(lines[-2:]))
    with pytest.raises(SystemExit, match='measured D_v in some epochs only'):
        run_tool('benchmark.py', *arguments, '--best-epoch')


def test_a_folder_where_another_process_works(tmp_path: Path, capsys):
    """Such as the training that a killed benchmark left behind."""
    run = tmp_path / 'tiny_search_seed0'
    run.mkdir()
    with open(run / 'console.log', 'w') as log:
        holder = subprocess.Popen(
            [sys.executable, '-c', 'import time; time.sleep(60)'], stdout=log, stderr=log
        )
        fcntl.flock(log, fcntl.LOCK_EX)
    try:
        with pytest.raises(SystemExit, match=f'another process works in {run}: wait for it'):
            run_tool('benchmark.py', TINY_SEARCH, '--work-dir', tmp_path)
    finally:
        holder.kill()
        holder.wait()


def expected(values: np.ndarray) -> str:
    error = values.std(ddof=1) / np.sqrt(len(values))
    half = stats.t.interval(0.95, len(values) - 1, values.mean(), error)[1] - values.mean()
    return f'{values.mean():.2f} ± {half:.2f}'


# The digits baseline in seconds.
SMALL = [
    'model.backbone.depth=8',
    'model.backbone.base_channels=4',
    'model.head.in_channels=16',
    'train_dataloader.dataset.indices=96',
    'val_dataloader.dataset.indices=100',
    'test_dataloader.dataset.indices=100',
    'train_cfg.max_epochs=3',
]


@pytest.mark.slow
def test_grid_and_best_epochs_of_real_runs(tmp_path: Path):
    command = [*TOOL, BASELINE, '--grid', BASELINE, '--grid-size', '2', '--best-epoch']
    command += ['--work-dir', tmp_path, '--jobs', '2', '--cfg-options', *SMALL]
    done = run(command)
    assert done.returncode == 0, done.stdout
    name = BASELINE.stem
    plain, grid = tmp_path / f'{name}_seed0', tmp_path / f'grid2_of_{name}_seed0'
    for work_dir in (plain, grid):
        assert {path.name for path in work_dir.glob('test*.json')} == {
            'test.json',
            'test_best.json',
        }
    # The grid's softmax is the baseline, bit for bit.
    first = tmp_path / 'grid' / f'{name}_softmax_seed0'
    assert_equal(
        load(first / 'epoch_3.pth')['state_dict'], load(plain / 'epoch_3.pth')['state_dict'], ''
    )
    choice = json.loads((grid / 'grid.json').read_text())
    assert [score['loss'] for score in choice['scores']] == ['softmax', 'robust_b0.5']
    for model in ('last', 'best'):
        scores = {score['loss']: score[model] for score in choice['scores']}
        assert scores[choice['chosen'][model]['loss']] == max(scores.values())
    assert choice['candidate_epochs'] == 6
    # After a kill in a test only that is done again.
    (grid / 'test_best.json').unlink()
    again = run(command)
    assert again.stdout.split('Test')[-1] == done.stdout.split('Test')[-1]
    assert 'log in' not in again.stdout


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
    with pytest.raises(SystemExit, match=r'tiny_search\.py searches a loss: a grid starts from a'):
        run_tool('benchmark.py', '--grid', TINY_SEARCH, '--work-dir', tmp_path)
    assert not any(tmp_path.iterdir())


def test_a_training_by_iterations(tmp_path: Path):
    """Its compute, and its best model, cannot be compared by epochs."""
    config = tmp_path / 'iterations.py'
    text = f'_base_ = [{str(ROOT / BASELINE)!r}]\n'
    config.write_text(text + 'train_cfg = dict(_delete_=True, by_epoch=False, max_iters=20)\n')
    with pytest.raises(SystemExit, match=r'iterations\.py has no train_cfg.max_epochs, but'):
        run_tool('benchmark.py', config, '--work-dir', tmp_path / 'runs')
    assert not (tmp_path / 'runs').exists()


@pytest.mark.slow
def test_a_config_that_counts_no_compute(tmp_path: Path):
    """As on a base of mmpretrain. The same command goes on with what is there."""
    config = tmp_path / 'plain.py'
    text = f'_base_ = [{str(ROOT / BASELINE)!r}]\nmodel = dict(backbone=dict(depth=8))\n'
    config.write_text(
        text + 'train_cfg = dict(max_epochs=1)\ndefault_hooks = dict(_delete_=True)\n'
    )
    command = [*TOOL, config, '--processes', '1', '--work-dir', tmp_path / 'runs']
    assert run(command).returncode == 0
    (tmp_path / 'runs' / 'plain_seed0' / 'test.json').unlink()
    assert run(command).returncode == 0
    assert not list((tmp_path / 'runs').glob('*/earlier_*'))


def test_jobs_below_one(capsys):
    with pytest.raises(SystemExit):
        run_tool('benchmark.py', TINY_SEARCH, '--jobs', '0')
    assert "argument --jobs: must be a whole number >= 1, got '0'" in capsys.readouterr().err
