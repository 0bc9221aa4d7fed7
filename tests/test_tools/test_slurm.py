"""slurm_train.sh under a real Slurm: one node on this machine, for the time of the tests."""

from __future__ import annotations

import getpass
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.runs import TINY_SEARCH, assert_same_run, free_port, run, train

MISSING = [
    program
    for program in ('munged', 'slurmctld', 'slurmd', 'sbatch', 'srun')
    if shutil.which(program) is None
]
pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(
        bool(MISSING), reason=f'{MISSING} not installed: see tools/run_tests.sh --slurm'
    ),
]

# More CPUs than there may be (config_overrides), so that four tasks run at the same time.
SLURM_CONF = """
ClusterName=test
SlurmUser={user}
SlurmdUser={user}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/slurmd.pid
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool
AuthType=auth/munge
AuthInfo=socket={directory}/munge.socket
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,bf_interval=1
SlurmdParameters=config_overrides
JobRequeue=1
NodeName=localhost NodeHostname={host} NodeAddr=127.0.0.1 CPUs=4
PartitionName=cpu Nodes=localhost Default=YES
"""
LONGER = ['--cfg-options', 'train_cfg.max_epochs=6', 'train_dataloader.dataset.indices=960']


class Cluster:
    """munged, slurmctld and slurmd as plain processes, with all their files in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environment = dict(
            SLURM_CONF=str(directory / 'slurm.conf'),
            GPUS='4',
            GPUS_PER_NODE='0',
            CPUS_PER_TASK='1',
        )
        self._daemons: list[subprocess.Popen] = []

    def start(self) -> None:
        for folder in ('state', 'spool'):
            (self.directory / folder).mkdir()
        configuration = SLURM_CONF.format(
            directory=self.directory,
            user=getpass.getuser(),
            host=socket.gethostname().split('.')[0],
            controller_port=free_port(),
            node_port=free_port(),
        )
        (self.directory / 'slurm.conf').write_text(configuration)
        key = self.directory / 'munge.key'
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(128))
        files = [
            f'--{option}={self.directory / name}'
            for option, name in [
                ('key-file', 'munge.key'),
                ('socket', 'munge.socket'),
                ('pid-file', 'munged.pid'),
                ('seed-file', 'munged.seed'),
            ]
        ]
        # --force: pytest's folders are closed to other users, munged wants its socket open to all.
        self._spawn('munged', '--foreground', '--force', *files)
        wait_until((self.directory / 'munge.socket').exists, 'munged listens', self.logs)
        self._spawn('slurmctld', '-D')
        self._spawn('slurmd', '-D')
        wait_until(lambda: self.call('sinfo', '-h', '-o', '%T') == 'idle', 'idle node', self.logs)

    def cancel_jobs(self) -> None:
        self.call('scancel', '--partition=cpu')
        wait_until(lambda: self.call('squeue', '-h') == '', 'empty queue', self.logs)

    def stop(self) -> None:
        for daemon in self._daemons:
            daemon.terminate()
        for daemon in self._daemons:
            daemon.wait(timeout=60)

    def call(self, *command: str) -> str:
        """Run one of Slurm's commands."""
        return run(list(command), **self.environment).stdout.strip()

    def show(self, job: str) -> dict[str, str]:
        """What ``scontrol show job`` says."""
        return dict(re.findall(r'(\w+)=(\S*)', self.call('scontrol', 'show', 'job', job)))

    def logs(self) -> str:
        return '\n'.join(path.read_text()[-3000:] for path in self.directory.glob('*.log'))

    def _spawn(self, program: str, *options: str) -> None:
        with open(self.directory / f'{program}.log', 'w') as log:
            self._daemons.append(
                subprocess.Popen(
                    [program, *options],
                    env={**os.environ, **self.environment},
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C is for pytest, which then stops us in order
                )
            )


def wait_until(
    condition: Callable[[], bool], name: str, log: Callable[[], str], timeout: float = 300
) -> None:
    """Wait until the condition holds; fail with the log's end if that takes too long."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f'{name}: not after {timeout} s\n{log()[-5000:]}'
        time.sleep(0.2)


@pytest.fixture(scope='module')
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp('slurm'))
    try:
        cluster.start()
        yield cluster
        cluster.cancel_jobs()
    finally:
        cluster.stop()


def test_srun(cluster: Cluster, tiny_run: Path, tmp_path: Path):
    command = ['tools/slurm_train.sh', 'cpu', 'search', TINY_SEARCH, '--work-dir', tmp_path]
    done = run(command, **cluster.environment)
    assert done.returncode == 0, done.stdout[-5000:]
    assert '4 process(es) = 4 sub-runner(s) x 1 replica(s)' in done.stdout
    assert_same_run(tiny_run, tmp_path)


def test_stopped_job_is_requeued_and_resumes(cluster: Cluster, tmp_path: Path):
    uninterrupted, work_dir, log = (tmp_path / name for name in ('one', 'job', 'log.txt'))
    train(uninterrupted, *LONGER)

    command = ['tools/slurm_train.sh', 'cpu', 'search', TINY_SEARCH, '--work-dir', work_dir]
    script = ' '.join(str(part) for part in [*command, *LONGER])
    options = ['--ntasks=4', '--requeue', '--open-mode=append', f'--output={log}']
    job = cluster.call('sbatch', '--parsable', *options, f'--wrap={script}')
    wait_until(
        lambda: log.exists() and 'Search epoch 1/6' in log.read_text(), 'an epoch', log.read_text
    )
    cluster.call('scancel', '--signal=USR1', job)
    running = ('CONFIGURING', 'RUNNING', 'COMPLETING')
    wait_until(lambda: cluster.show(job)['JobState'] not in running, 'a stop', log.read_text)
    first = log.read_text()
    assert cluster.show(job)['JobState'] == 'PENDING', first[-5000:]
    assert cluster.show(job)['Restarts'] == '1'
    # Slurm lets a requeued job wait for two minutes. We shorten that; at once would be too early:
    # for a second the node refuses a job that it has just ended.
    cluster.call('scontrol', 'update', f'JobId={job}', 'StartTime=now+5')
    wait_until(
        lambda: cluster.show(job)['JobState'] not in ('PENDING', *running), 'an end', log.read_text
    )
    assert cluster.show(job)['JobState'] == 'COMPLETED', log.read_text()[-5000:]
    second = log.read_text().removeprefix(first)
    assert 'Search epoch 1/6' in first
    assert 'Search epoch 6/6' not in first
    assert 'where a stopped job left them' in second
    assert 'Search epoch 1/6' not in second
    assert_same_run(uninterrupted, work_dir, last='epoch_6.pth')
