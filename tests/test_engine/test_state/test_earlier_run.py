"""A run that starts in the work dir of another one takes nothing of it for its own."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from helpers.runs import CrashAtOnce, assert_same_run, build, train
from mmengine.hooks import Hook

from amlfs_mm.engine.state.earlier_run import set_aside_earlier_run, set_aside_later_files


def test_a_new_run_in_the_work_dir_of_a_longer_one(tiny_run: Path, tmp_path: Path):
    work_dir = tmp_path / 'run'
    shutil.copytree(tiny_run, work_dir)
    left = work_dir / 'unfinished' / 'round_0_candidate_0_replica_0.pth'
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b'of a job that was stopped')
    other = 'optim_wrapper.optimizer.lr=0.0001'
    train(work_dir, '--cfg-options', other, 'train_cfg.max_epochs=1')
    (earlier,) = work_dir.glob('earlier_*')
    for name in ('epoch_3.pth', 'loss_search.jsonl', 'loss_schedule.json', 'compute.json'):
        assert (earlier / name).read_bytes() == (tiny_run / name).read_bytes()
    assert (earlier / 'unfinished' / left.name).is_file()
    resumed = train(work_dir, '--resume', '--cfg-options', other, 'train_cfg.max_epochs=2')
    assert f'Resuming from {work_dir / "epoch_1.pth"}' in resumed.stdout
    assert len((work_dir / 'loss_search.jsonl').read_text().splitlines()) == 2


def test_going_on_from_an_earlier_epoch(tiny_run: Path, tmp_path: Path):
    """What came after that epoch is no part of the run any more."""
    work_dir = tmp_path / 'run'
    shutil.copytree(tiny_run, work_dir)
    options = ['--cfg-options', 'train_cfg.max_epochs=2', 'optim_wrapper.optimizer.lr=0.0001']
    train(work_dir, '--resume', str(work_dir / 'epoch_1.pth'), *options)
    (earlier,) = work_dir.glob('earlier_*')
    assert (earlier / 'epoch_3.pth').read_bytes() == (tiny_run / 'epoch_3.pth').read_bytes()
    assert sorted(path.name for path in work_dir.glob('epoch_*')) == ['epoch_1.pth', 'epoch_2.pth']
    assert 'epoch_2.pth' in (work_dir / 'last_checkpoint').read_text()


def test_nothing_to_set_aside(tmp_path: Path):
    (tmp_path / 'config.py').touch()
    (tmp_path / 'test_list.json').touch()  # the user's
    assert set_aside_earlier_run(tmp_path, 'earlier') == []
    (tmp_path / 'epoch_2.pth').touch()
    (tmp_path / 'unfinished').mkdir()
    (tmp_path / 'unfinished' / 'round_2_candidate_0_replica_0.pth').touch()
    reached = dict(epoch=2, iter=40)
    loaded = tmp_path / 'epoch_2.pth'
    assert set_aside_later_files(tmp_path, 'earlier', reached, loaded, is_over=False) == []
    assert [path.name for path in sorted(tmp_path.glob('*p*'))] == ['config.py', 'epoch_2.pth']


def test_rounds_after_the_one_that_is_resumed(tmp_path: Path):
    (tmp_path / 'epoch_2.pth').touch()
    (tmp_path / 'unfinished').mkdir()
    for number in (2, 3):
        (tmp_path / 'unfinished' / f'round_{number}_candidate_0_replica_0.pth').touch()
    reached = dict(epoch=2, iter=40)
    loaded = tmp_path / 'epoch_2.pth'
    moved = set_aside_later_files(tmp_path, 'earlier', reached, loaded, is_over=False)
    assert moved == ['round_3_candidate_0_replica_0.pth']


def test_a_finished_run_that_trains_on(tiny_run: Path, tmp_path: Path):
    """What it was tested with, and its losses, are not those of the longer run."""
    work_dir = tmp_path / 'run'
    shutil.copytree(tiny_run, work_dir)
    (work_dir / 'test.json').write_text('{}')
    runner = build(work_dir, resume=True, **{'train_cfg.max_epochs': 4})
    runner.register_hook(CrashAtOnce())
    with pytest.raises(RuntimeError, match='crash'):
        runner.train()
    (earlier,) = work_dir.glob('earlier_*')
    for name in ('test.json', 'loss_schedule.json', 'compute.json'):
        assert not (work_dir / name).exists()
        assert (earlier / name).is_file()


def test_a_plain_runner_starts_beside_an_unfinished_round(tmp_path: Path):
    """It is that of a job with another learning rate; its losses are the same ones."""
    options = {'train_cfg.max_epochs': 1, 'loss_search.num_candidates': 2}
    stopped = build(tmp_path, 'Runner', **options)
    stopped.register_hook(StopAfterTheFirst())
    with pytest.raises(SystemExit):
        stopped.train()
    assert any((tmp_path / 'unfinished').iterdir())
    slow = {**options, 'optim_wrapper.optimizer.lr': 0.01}
    build(tmp_path, 'Runner', **slow).train()
    build(tmp_path / 'alone', 'Runner', **slow).train()
    assert_same_run(tmp_path, tmp_path / 'alone', 'epoch_1.pth')


class StopAfterTheFirst(Hook):
    """A job that is asked to stop when the second candidate begins."""

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if runner.message_hub.get_scalar('train/candidate').current() == 1:
            os.kill(os.getpid(), signal.SIGTERM)
