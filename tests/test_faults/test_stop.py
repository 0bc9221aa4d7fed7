"""SIGTERM and SIGUSR1: saved, code 75, and resumed as if nothing had happened."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.jobs import Job, config_with, no_survivors  # noqa: F401
from helpers.runs import ROOT, TINY_SEARCH, assert_same_run, free_port

from amlfs_mm.engine.distributed.stop_signal import EXIT_CODE

TINY = ['--cfg-options', 'train_cfg.max_epochs=3']


def stop(job: Job, number: int, ranks: list[int] | None = None) -> None:
    for pid in [job.pids[rank] for rank in ranks] if ranks else job.pids:
        os.kill(pid, number)
    assert job.wait() == [EXIT_CODE] * len(job.ranks), job.everything()


@pytest.mark.parametrize(
    ('number', 'text'), [(signal.SIGTERM, 'Search epoch 1/3'), (signal.SIGUSR1, '[2][6/6]')]
)
def test_one_process(tiny_run: Path, tmp_path: Path, number: int, text: str):
    job = Job(tmp_path, *TINY)
    job.wait_for(text)
    stop(job, number)
    where = re.search(r'Stopping on request in epoch (\d), (.*)', job.log())
    assert where[1] in '23'
    assert 'run the same command with --resume (exit code 75)' in job.log()
    assert list((tmp_path / 'unfinished').iterdir())
    resumed = Job(tmp_path, '--resume', *TINY).finish()
    assert 'Going on with candidates' in resumed.log()
    assert_same_run(tiny_run, tmp_path)
    assert not (tmp_path / 'unfinished').exists()


def test_in_the_first_epoch_there_is_no_checkpoint_yet(tiny_run: Path, tmp_path: Path):
    job = Job(tmp_path, *TINY)
    job.wait_for('candidate: 1')
    stop(job, signal.SIGTERM)
    assert (tmp_path / 'epoch_0.pth').is_file()
    Job(tmp_path, '--resume', *TINY).finish()
    assert_same_run(tiny_run, tmp_path)


@pytest.mark.faults
def test_stopped_again_and_again_on_other_numbers_of_processes(tiny_run: Path, tmp_path: Path):
    """4 -> 1 -> 2 -> 3 processes, one signal each; what was done of an epoch is not done again."""
    for processes in (4, 1, 2):
        job = Job(tmp_path, '--resume', *TINY, processes=processes)
        job.wait_for('candidate: ')
        # To one process only: it tells the others.
        stop(job, signal.SIGTERM, [processes - 1])
    Job(tmp_path, '--resume', *TINY, processes=3).finish()
    assert_same_run(tiny_run, tmp_path)


def test_while_waiting_for_a_slower_sub_runner(tiny_run: Path, tmp_path: Path):
    """Rank 1 hangs; rank 0, done with its candidates, is asked to stop and keeps their rewards."""
    hang = dict(type='Misbehave', what='hang', where=[(2, 1)], rank=1)
    job = Job(tmp_path, *TINY, processes=2, config=config_with(tmp_path, hang))
    job.wait_for('Search epoch 1/3')
    job.wait_for('[2][6/6]', count=2)
    time.sleep(1)
    os.kill(job.pids[0], signal.SIGTERM)
    job.ranks[0].join(60)
    assert job.ranks[0].exitcode == EXIT_CODE, job.everything()
    assert 'waiting for the rewards of other sub-runners' in job.log()
    job.kill()
    assert {path.name for path in (tmp_path / 'unfinished').iterdir()} == {
        'round_1_candidate_0_replica_0.pth',
        'round_1_candidate_2_replica_0.pth',
    }
    resumed = Job(tmp_path, '--resume', *TINY, processes=2).finish()
    assert 'Going on with candidates [0, 2]' in resumed.log()
    assert_same_run(tiny_run, tmp_path)


def test_replicas_stop_at_the_same_iteration(tmp_path: Path):
    """2 x 2 processes, a signal to one replica of one candidate, half of an update accumulated."""
    options = [
        '--cfg-options',
        'loss_search.replicas_per_candidate=2',
        'train_cfg.max_epochs=2',
        'optim_wrapper.accumulative_counts=2',
    ]
    Job(tmp_path / 'whole', *options, processes=4).finish()
    for delay in (0.0, 0.1):
        job = Job(tmp_path / 'stopped', '--resume', *options, processes=4)
        job.wait_for('Loss search:')
        time.sleep(delay)
        stop(job, signal.SIGTERM, [3])
    Job(tmp_path / 'stopped', '--resume', *options, processes=4).finish()
    assert_same_run(tmp_path / 'whole', tmp_path / 'stopped', 'epoch_2.pth')


@pytest.mark.faults
def test_dist_train_passes_signals_on(tiny_run: Path, tmp_path: Path):
    """SIGTERM for the script that a user started: torchrun's processes save, the code is 75."""
    command = ['bash', 'tools/dist_train.sh', TINY_SEARCH, '2', '--work-dir', tmp_path]
    log = tmp_path / 'log'
    for number in (signal.SIGTERM, signal.SIGUSR1):
        with open(log, 'w') as output:
            script = subprocess.Popen(
                [str(part) for part in [*command, '--resume']],
                cwd=ROOT,
                env={**os.environ, 'PYTHON': sys.executable, 'PORT': str(free_port())},
                stdout=output,
                stderr=output,
            )
        while 'candidate: ' not in log.read_text():
            assert script.poll() is None, log.read_text()[-3000:]
            time.sleep(0.05)
        script.send_signal(number)
        assert script.wait(60) == EXIT_CODE, log.read_text()[-3000:]
        assert 'Stopped on request' in log.read_text()
    Job(tmp_path, '--resume', *TINY).finish()
    assert_same_run(tiny_run, tmp_path)


def test_before_there_is_anything_to_save(tmp_path: Path):
    """A plain run, and a search that has not begun: code 75 at once."""
    job = Job(tmp_path, config=ROOT / 'configs/small/digits/baseline_resnet20_digits.py')
    job.wait_for('Epoch(train)')
    stop(job, signal.SIGUSR1)
    assert not list(tmp_path.glob('.*.part'))
