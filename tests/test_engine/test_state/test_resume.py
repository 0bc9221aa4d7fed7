"""Interrupted after any epoch and resumed: identical to never interrupted."""

import shutil
from pathlib import Path

import pytest
from helpers.runs import assert_same_run, build, train


@pytest.mark.parametrize(('epoch', 'processes'), [(1, 1), (2, 2)])
def test_resume_after_any_epoch(tiny_run: Path, tmp_path: Path, epoch: int, processes: int):
    """The work dir as it was after `epoch`, with a log that had run ahead of the checkpoint."""
    shutil.copy(tiny_run / f'epoch_{epoch}.pth', tmp_path)
    shutil.copy(tiny_run / 'loss_search.jsonl', tmp_path)
    done = train(tmp_path, '--resume', processes=processes)
    assert f'epoch_{epoch}.pth' in done.stdout
    assert_same_run(tiny_run, tmp_path)


@pytest.mark.parametrize('seed', [None, 7])
def test_a_resumed_run_has_the_checkpoints_seed(tmp_path: Path, seed: int | None):
    """Also its data order, where the config has no seed, or now another one."""
    options = {'train_cfg.max_epochs': 2, 'randomness.seed': None}
    build(tmp_path / 'whole', **options).train()
    (tmp_path / 'resumed').mkdir()
    shutil.copy(tmp_path / 'whole' / 'epoch_1.pth', tmp_path / 'resumed')
    build(tmp_path / 'resumed', **options | {'randomness.seed': seed}, resume=True).train()
    assert_same_run(tmp_path / 'whole', tmp_path / 'resumed', 'epoch_2.pth')


@pytest.mark.parametrize(
    ('name', 'value', 'found'),
    [
        ('reward', 'accuracy/top5', 'accuracy/top1'),
        ('hand_over', 'model', 'all'),
        ('common_random_numbers', True, 'False'),
    ],
)
def test_options_that_give_a_record_its_meaning(
    tiny_run: Path, tmp_path: Path, name: str, value: object, found: str
):
    options = {f'loss_search.{name}': value, 'load_from': str(tiny_run / 'epoch_1.pth')}
    with pytest.raises(ValueError, match=rf'has {name}={found}, the config has {name}={value}'):
        build(tmp_path, resume=True, **options).train()


def test_resume_without_a_checkpoint_starts_anew(tiny_run: Path, tmp_path: Path):
    done = train(tmp_path, '--resume', '--cfg-options', 'train_cfg.max_epochs=1')
    assert 'Nothing to resume' in done.stdout


def test_resume_without_a_checkpoint_keeps_the_configs_weights(tiny_run: Path, tmp_path: Path):
    """``--resume`` can always be given: the first start is from ``load_from``, the next is not."""
    weights = tiny_run / 'epoch_3.pth'
    options = ['--resume', '--cfg-options', 'train_cfg.max_epochs=1', f'load_from={weights}']
    assert f'Load checkpoint from {weights}' in train(tmp_path, *options).stdout
    again = train(tmp_path, *options).stdout
    assert f'Resuming from {tmp_path / "epoch_1.pth"}' in again
    assert str(weights) not in again.split('Resuming from')[1]


def test_resume_from_another_search_space(tiny_run: Path, tmp_path: Path):
    options = ['--resume', str(tiny_run / 'epoch_1.pth')]
    changed = ['--cfg-options', 'model.head.num_intervals=10']
    done = train(tmp_path, *options, *changed, check=False)
    assert done.returncode != 0
    assert 'searched in SearchSpace(num_intervals=6)' in done.stdout
    assert "set the head's num_intervals" in done.stdout


def test_resume_a_baseline_as_a_search(tiny_run: Path, tmp_path: Path):
    """A checkpoint of a plain run has no search state to continue."""
    config = Path('configs/small/digits/baseline_resnet20_digits.py')
    small = [
        'model.backbone.depth=8',
        'model.backbone.base_channels=4',
        'model.head.in_channels=16',
    ]
    train(tmp_path / 'plain', '--cfg-options', *small, 'train_cfg.max_epochs=1', config=config)
    done = train(tmp_path, '--resume', str(tmp_path / 'plain' / 'epoch_1.pth'), check=False)
    assert done.returncode != 0
    assert "no 'loss_search' state" in done.stdout
