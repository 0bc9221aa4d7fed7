"""What tests share: running the tools as a user does, and reading what they leave behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from itertools import count
from pathlib import Path
from uuid import uuid4

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

import amlfs_mm  # noqa: F401  (its cures for the OpenMMLab stack come first)

ROOT = Path(__file__).resolve().parents[2]
TINY_SEARCH = ROOT / 'tests' / 'configs' / 'tiny_search.py'


def run(command: list, **environment: str) -> subprocess.CompletedProcess:
    """Run a command from the repository's root, output captured, errors and all."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, 'PYTHON': sys.executable, 'PYTHONPATH': str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=400,
    )


def train(
    work_dir: Path,
    *options: str,
    config: Path = TINY_SEARCH,
    processes: int = 1,
    check: bool = True,
) -> subprocess.CompletedProcess:
    """Train with ``tools/train.py``, through ``dist_train.sh`` on several processes."""
    arguments = ['--work-dir', work_dir, *options]
    if processes == 1:
        done = run([sys.executable, 'tools/train.py', config, *arguments])
    else:
        command = ['bash', 'tools/dist_train.sh', config, processes, *arguments]
        done = run(command, PORT=str(free_port()))
    if check:
        assert done.returncode == 0, done.stdout[-5000:]
    return done


# Below those that the kernel gives to connections; each process of pytest starts somewhere else.
PORTS = count(10_000 + os.getpid() * 131 % 20_000)


def free_port() -> int:
    for port in PORTS:
        with socket.socket() as sock:
            if sock.connect_ex(('127.0.0.1', port)) != 0:
                return port


def build(tmp_path: Path, runner_type: str = 'amlfs_mm.LossSearchRunner', **options) -> Runner:
    """A runner of the tiny search in this process; options as in --cfg-options."""
    cfg = Config.fromfile(TINY_SEARCH)
    cfg.work_dir = str(tmp_path)
    cfg.runner_type = runner_type
    # mmengine keeps one logger a name.
    cfg.experiment_name = f'{tmp_path.name}_{uuid4()}'
    cfg.merge_from_dict(options)
    return RUNNERS.build(cfg)


class CrashAtOnce(Hook):
    """A job that ends before it has trained."""

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        raise RuntimeError('crash')


def load(path: Path) -> dict:
    """A checkpoint, read as safely as the tools do."""
    return torch.load(path, 'cpu', weights_only=True)


def assert_same_run(one: Path, other: Path, last: str = 'epoch_3.pth') -> None:
    """Two work dirs hold the same search, bit for bit: history, weights, optimizer, policy."""
    assert (one / 'loss_search.jsonl').read_text() == (other / 'loss_search.jsonl').read_text()
    first, second = load(one / last), load(other / last)
    for key in ('state_dict', 'optimizer', 'param_schedulers', 'loss_search'):
        assert_equal(first[key], second[key], key)
    assert first['meta']['iter'] == second['meta']['iter']


def assert_equal(one, other, where: str) -> None:
    assert type(one) is type(other), where
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other), where
    elif isinstance(one, dict):
        assert list(one) == list(other), where
        for key in one:
            assert_equal(one[key], other[key], f'{where}.{key}')
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), where
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            assert_equal(a, b, f'{where}.{i}')
    else:
        assert one == other, where
