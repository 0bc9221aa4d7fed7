"""A run that starts in the work dir of another one takes nothing of it for its own."""

import shutil
from pathlib import Path

from helpers.runs import train

from amlfs_mm.engine.state.earlier_run import set_aside_earlier_run, set_aside_later_checkpoints


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
    reached = dict(epoch=2, iter=40)
    assert set_aside_later_checkpoints(tmp_path, 'earlier', reached, tmp_path / 'epoch_2.pth') == []
    assert [path.name for path in sorted(tmp_path.glob('*p*'))] == ['config.py', 'epoch_2.pth']
