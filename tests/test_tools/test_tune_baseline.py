"""Learning rate and weight decay are those with the best mean on D_v."""

import json
from pathlib import Path

import pytest
from helpers.configs import PATHS
from helpers.work_dirs import BASELINE, run_tool, write_run
from mmengine.config import Config

METRIC = 'accuracy/top1'
# D_v in two epochs, by lr and weight decay, for two seeds.
SCORES = {
    (0.01, 1e-4): ([70, 60], [72, 61]),
    (0.01, 1e-3): ([71, 70], [73, 72]),
    (0.1, 1e-4): ([90, 65], [90, 66]),
    (0.1, 1e-3): ([70, 71], [75, 71.5]),
}


@pytest.fixture
def trained(tmp_path: Path) -> list:
    """The command line of a tuning of which all runs are done."""
    for (lr, weight_decay), seeds in SCORES.items():
        for seed, curve in enumerate(seeds):
            work_dir = tmp_path / f'{BASELINE.stem}_lr{lr:g}_wd{weight_decay:g}_seed{seed}'
            optimizer = 'optim_wrapper.optimizer'
            options = {f'{optimizer}.lr': lr, f'{optimizer}.weight_decay': weight_decay}
            validation = {epoch: {METRIC: value} for epoch, value in enumerate(curve, 1)}
            write_run(work_dir, BASELINE, seed, validation=validation, **options)
            (work_dir / f'best_accuracy_top1_epoch_{curve.index(max(curve)) + 1}.pth').touch()
            compute = dict(candidate_epochs=2, images=1800)
            (work_dir / 'compute.json').write_text(json.dumps(compute))
    grid = ['--lr', 0.01, 0.1, '--weight-decay', 1e-4, 1e-3, '--seeds', 0, 1]
    return [BASELINE, *grid, '--work-dir', tmp_path]


@pytest.mark.parametrize(('by', 'best'), [('last', (0.1, 1e-3)), ('best', (0.1, 1e-4))])
def test_tuning(by: str, best: tuple[float, float], trained: list, tmp_path: Path, capsys):
    out, table = tmp_path / 'configs' / 'tuned.py', tmp_path / 'tuned.json'
    run_tool('tune_baseline.py', *trained, '--by', by, '--out', out, '--json', table)
    shown = capsys.readouterr().out
    assert '| 0.01 | 0.0001 | 60.50 ± 6.35 | 71.00 ± 12.71 | 2 |' in shown
    lr, weight_decay = best
    line = f'optim_wrapper = dict(optimizer=dict(lr={lr:g}, weight_decay={weight_decay:g}))'
    assert line in shown
    assert 'lr 0.1 is the largest that was tried: try larger ones too' in shown
    config, base = Config.fromfile(out), Config.fromfile(BASELINE)
    assert config.optim_wrapper.optimizer == {
        **base.optim_wrapper.optimizer,
        'lr': lr,
        'weight_decay': weight_decay,
    }
    assert config.model == base.model
    content = json.loads(table.read_text())
    assert content['chosen'] == dict(lr=lr, weight_decay=weight_decay)
    assert [score['last']['mean'] for score in content['scores']] == [60.5, 71.0, 65.5, 71.25]


def test_mistakes(trained: list):
    with pytest.raises(SystemExit, match=r'a lr is given twice: \[0\.1, 0\.1\]'):
        run_tool('tune_baseline.py', *trained, '--lr', 0.1, 0.1)
    with pytest.raises(SystemExit, match=r"has no 'accuracy/top5' on D_v; it has"):
        run_tool('tune_baseline.py', *trained, '--metric', 'accuracy/top5')
    options = ['--cfg-options', 'train_dataloader.batch_size=7']
    with pytest.raises(SystemExit, match=r'train_dataloader\.batch_size was'):
        run_tool('tune_baseline.py', *trained, *options)


def test_a_metric_that_the_config_does_not_report(tmp_path: Path):
    config = PATHS['baseline_softmax_sphereface20_orl']
    wrong = (
        r"no metric 'accuracy/top1' on D_v: .* begin with face/\. Give one of them with --metric"
    )
    with pytest.raises(SystemExit, match=wrong):
        run_tool(
            'tune_baseline.py', config, '--lr', 0.1, '--weight-decay', 0, '--work-dir', tmp_path
        )
    assert not any(tmp_path.iterdir())
