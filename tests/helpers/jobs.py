"""Jobs of real processes, started in a second: forked from a server that has imported everything.

What ``torchrun`` does, without the five seconds of imports in each process: the environment of each
rank, ``tools/train.py`` as ``__main__``, a log file a rank.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from helpers.runs import ROOT, TINY_SEARCH, free_port

CONTEXT = multiprocessing.get_context('forkserver')
CONTEXT.set_forkserver_preload(
    [
        'amlfs_mm.datasets',
        'amlfs_mm.engine',
        'amlfs_mm.evaluation',
        'amlfs_mm.models',
        'helpers.faults',
        'matplotlib.pyplot',
        'mmpretrain.datasets',
        'mmpretrain.evaluation',
        'mmpretrain.models',
        'mmpretrain.visualization',
        'sklearn.datasets',
        'sklearn.model_selection',
    ]
)


class Job:
    """A training run in the background.

    Args:
        work_dir: Of the run; ``<rank>.log`` besides.
        options: Of ``tools/train.py``.
        processes: One joins no group.
        config: The config file.
        nodes: Of which node each process shall believe to be a part.
    """

    started: list[Job] = []

    def __init__(
        self,
        work_dir: Path,
        *options: str,
        processes: int = 1,
        config: Path = TINY_SEARCH,
        nodes: list[int] | None = None,
    ) -> None:
        work_dir.mkdir(parents=True, exist_ok=True)
        self.logs = [work_dir / f'{rank}.log' for rank in range(processes)]
        argv = ['tools/train.py', str(config), '--work-dir', str(work_dir), *options]
        port = free_port()
        self.ranks: list[BaseProcess] = []
        Job.started.append(self)
        for rank, log in enumerate(self.logs):
            log.unlink(missing_ok=True)
            environment = dict(os.environ)  # as it is now, not as when the server started
            if processes > 1:
                environment.update(
                    RANK=rank,
                    LOCAL_RANK=rank,
                    WORLD_SIZE=processes,
                    MASTER_ADDR='127.0.0.1',
                    MASTER_PORT=port,
                    GROUP_RANK=nodes[rank] if nodes else 0,
                )
            launcher = ['--launcher', 'pytorch'] if processes > 1 else []
            process = CONTEXT.Process(target=_live, args=(argv + launcher, environment, str(log)))
            process.start()
            self.ranks.append(process)

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self.ranks]

    def log(self, rank: int = 0) -> str:
        """What a rank has printed so far."""
        return self.logs[rank].read_text() if self.logs[rank].exists() else ''

    def wait_for(self, text: str, rank: int = 0, count: int = 1, timeout: float = 120) -> None:
        """Wait until a rank has printed a text so many times."""
        deadline = time.monotonic() + timeout
        while self.log(rank).count(text) < count:
            assert time.monotonic() < deadline, f'{text!r} not in\n{self.log(rank)[-3000:]}'
            assert self.ranks[rank].is_alive(), self.log(rank)[-3000:]
            time.sleep(0.01)

    def wait(self, timeout: float = 120) -> list[int]:
        """The exit codes, -n for a process that signal n killed; none may outlive the timeout."""
        deadline = time.monotonic() + timeout
        try:
            for process in self.ranks:
                process.join(max(0, deadline - time.monotonic()))
            assert not any(process.is_alive() for process in self.ranks), self.everything()
        finally:
            self.kill()
        return [process.exitcode for process in self.ranks]

    def kill(self) -> None:
        """SIGKILL for whatever still lives."""
        for process in self.ranks:
            process.kill()
            process.join()

    def everything(self) -> str:
        """The ends of all logs."""
        return '\n'.join(f'--- rank {i}\n{self.log(i)[-2500:]}' for i in range(len(self.logs)))

    def finish(self, timeout: float = 120) -> Job:
        """Wait for a good end."""
        codes = self.wait(timeout)
        assert set(codes) == {0}, f'{codes}\n{self.everything()}'
        return self


@pytest.fixture(autouse=True)
def no_survivors() -> Iterator[None]:
    """Kill what a failed test left running. Import it where jobs are started."""
    yield
    while Job.started:
        Job.started.pop().kill()


def config_with(tmp_path: Path, *hooks: dict, more: str = '') -> Path:
    """The tiny search with further hooks, and further lines of config."""
    path = tmp_path / 'config.py'
    path.write_text(
        f'_base_ = [{str(TINY_SEARCH)!r}]\n'
        "custom_imports = dict(imports=['amlfs_mm', 'helpers.faults'])\n"
        f'custom_hooks = [*_base_.custom_hooks, *{list(hooks)!r}]\n{more}'
    )
    return path


def _live(argv: list[str], environment: dict, log: str) -> None:
    os.chdir(ROOT)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.update({name: str(value) for name, value in environment.items()})
    sys.argv = argv
    runpy.run_path(argv[0], run_name='__main__')
