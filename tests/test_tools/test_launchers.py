"""dist_train.sh over two nodes, slurm_train.sh, and their usage errors."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.runs import ROOT, TINY_SEARCH, assert_same_run, free_port, run

# Starts its tasks as Slurm does, on this machine: one process each, told its place by environment.
FAKE_SRUN = """#!/usr/bin/env bash
echo "srun $*"
for argument in "$@"; do
    case $argument in --ntasks=*) TASKS=${argument#--ntasks=} ;; esac
done
while [ "${1#-}" != "$1" ]; do
    case $1 in -p) shift 2 ;; *) shift ;; esac
done
for ((task = 0; task < TASKS; task++)); do
    SLURM_PROCID=$task SLURM_LOCALID=$task SLURM_NTASKS=$TASKS SLURM_NODELIST=here "$@" &
done
wait -n && wait
"""


@pytest.mark.slow
def test_two_nodes(tiny_run: Path, tmp_path: Path):
    """Two torchrun agents of one process each."""
    port = str(free_port())
    command = ['bash', 'tools/dist_train.sh', TINY_SEARCH, '1', '--work-dir', tmp_path]
    nodes = [
        subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env={**os.environ, 'PYTHON': sys.executable, 'NNODES': '2', 'NODE_RANK': str(rank)}
            | {'MASTER_ADDR': '127.0.0.1', 'PORT': port},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    outputs = [node.communicate(timeout=400)[0] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], outputs
    assert '2 process(es) = 2 sub-runner(s) x 1 replica(s)' in outputs[0]
    assert_same_run(tiny_run, tmp_path)


def test_slurm(tiny_run: Path, tmp_path: Path):
    srun = tmp_path / 'bin' / 'srun'
    srun.parent.mkdir()
    srun.write_text(FAKE_SRUN)
    srun.chmod(0o755)
    command = ['bash', 'tools/slurm_train.sh', 'gpu', 'job', TINY_SEARCH, '--work-dir', tmp_path]
    done = run(
        command,
        PATH=f'{srun.parent}:{os.environ["PATH"]}',
        GPUS='2',
        GPUS_PER_NODE='0',
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(free_port()),
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert 'srun -p gpu --job-name=job --ntasks=2' in done.stdout
    assert '--gres' not in done.stdout
    assert_same_run(tiny_run, tmp_path)


@pytest.mark.parametrize(
    ('tool', 'arguments'),
    [('dist_train.sh', ['c.py']), ('dist_test.sh', ['c.py', 'x.pth']), ('slurm_train.sh', ['gpu'])],
)
def test_usage(tool: str, arguments: list[str]):
    done = run(['bash', f'tools/{tool}', *arguments])
    assert done.returncode == 2
    assert done.stdout.startswith('usage:')
