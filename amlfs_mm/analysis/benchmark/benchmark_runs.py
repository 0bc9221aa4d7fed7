"""The runs of a benchmark: each is a process of ``tools/train.py``, and one for each test."""

from __future__ import annotations

import argparse
import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import TextIO

from mmengine.config import Config, DictAction
from mmpretrain.registry import METRICS

from amlfs_mm.engine.history.search_history import best_file
from amlfs_mm.engine.state.checkpoints import find_checkpoints
from amlfs_mm.utils.config_types import resolve_type

from ..runs.run import MODEL_FILES, TEST_FILES, search_options
from ..runs.settings import check_same_settings
from ..runs.work_dirs import find_config, read_run
from .warm_processes import can_start_warm, run_warm


@dataclass(frozen=True)
class Training:
    """One training of a config.

    Attributes:
        config: The config file.
        seed: Of the run.
        work_dir: Where it goes.
        options: Other settings, as ``--cfg-options`` takes them.
        keep_best: The metric on D_v by which the best epoch's model is kept. None: keep the last
            one alone. A search keeps its best one by its reward in any case.
    """

    config: Path
    seed: int
    work_dir: Path
    options: tuple[str, ...] = ()
    keep_best: str | None = None

    @cached_property
    def is_search(self) -> bool:
        """Whether the config searches a loss."""
        return search_options(Config.fromfile(self.config)) is not None

    @property
    def all_options(self) -> list[str]:
        """All settings that the command line changes."""
        # A config that is not on our default_runtime.py counts no compute, and would never be over.
        count = 'default_hooks.compute.type=amlfs_mm.ComputeHook'
        options = [f'randomness.seed={self.seed}', count, *self.options]
        if self.keep_best and not self.is_search:
            options += [
                'train_cfg.val_interval=1',
                f'default_hooks.checkpoint.save_best={self.keep_best}',
                'default_hooks.checkpoint.rule=greater',
            ]
        return options

    @property
    def is_trained(self) -> bool:
        """Whether the training came to its end."""
        return any((self.work_dir / name).is_file() for name in ('compute.json', 'test.json'))

    def check(self) -> None:
        """Refuse a work dir that holds something else than this training.

        Raises:
            FileNotFoundError: There is no such config, or the run in the work dir is finished and
                did not keep its best epoch.
            ValueError: The work dir holds a run with other settings, the config trains by
                iterations, or no metric on D_v of the config has the prefix of the one to keep the
                best epoch by.
        """
        if not self.config.is_file():
            raise FileNotFoundError(f'there is no config {self.config}')
        check_trains_by_epochs(self.config)
        if self.keep_best:
            check_metric(self.config, self.keep_best)
        check_same_settings(self.work_dir, self.config, read_options(self.all_options))
        if self.keep_best and self.is_trained:
            if (self.work_dir / TEST_FILES['best']).is_file():
                self._check_tested()
            else:
                best_checkpoint(self.work_dir, self.keep_best)

    def _check_tested(self) -> None:
        """The best epoch that was tested, and need not be there any more, is by this metric."""
        checkpoint = Config.fromfile(find_config(self.work_dir)).default_hooks.checkpoint
        kept = checkpoint.get('save_best')
        if not self.is_search and kept not in (None, self.keep_best):
            raise ValueError(
                f'{self.work_dir / TEST_FILES["best"]} is of the best epoch by {kept!r}, not by '
                f'{self.keep_best!r}. Remove the folder to run it anew, or give another --work-dir'
            )

    def models(self) -> list[str]:
        """The models of the finished training, by their names in ``MODELS``."""
        others = [model for model, name in MODEL_FILES.items() if (self.work_dir / name).is_file()]
        return ['last', *(['best'] if self.keep_best else []), *others]

    def checkpoint(self, model: str) -> Path:
        """The file of a model of the finished training.

        Raises:
            FileNotFoundError: It is missing.
        """
        if model == 'last':
            return read_run(self.work_dir).last_checkpoint
        if model == 'best':
            assert self.keep_best is not None
            return best_checkpoint(self.work_dir, self.keep_best)
        return self.work_dir / MODEL_FILES[model]


def best_checkpoint(work_dir: Path, metric: str) -> Path:
    """The model with the best metric on D_v of a finished run; of a search, with the best reward.

    Raises:
        FileNotFoundError: The run did not keep it.
        ValueError: The run has no such metric on D_v.
    """
    run = read_run(work_dir)
    epoch = run.best_epoch(metric)
    # The second name is CheckpointHook's.
    name = best_file(epoch) if run.records else f'best_{metric.replace("/", "_")}_epoch_{epoch}.pth'
    every_epoch = run.records or len(run.validation) == run.epochs
    if not every_epoch or not (work_dir / name).is_file():
        missing = f'has no {name}' if every_epoch else 'measured D_v in some epochs only'
        raise FileNotFoundError(
            f'{work_dir} {missing}: the run did not keep the best epoch on D_v. Remove the folder '
            'to run it anew, or give another --work-dir'
        )
    return work_dir / name


def check_trains_by_epochs(config: Path) -> None:
    """A config trains by epochs, in which compute is counted and the best model is chosen.

    Raises:
        ValueError: It trains by iterations.
    """
    train_cfg = Config.fromfile(config).get('train_cfg') or {}
    if 'max_epochs' not in train_cfg:
        raise ValueError(
            f'{config} has no train_cfg.max_epochs, but train_cfg={dict(train_cfg)}: trainings are '
            'compared by epochs. Set train_cfg=dict(by_epoch=True, max_epochs=...)'
        )


def check_metric(config: Path, name: str) -> None:
    """The validation of a config has a metric with this prefix, ``accuracy`` of ``accuracy/top1``.

    Raises:
        ValueError: No metric has this prefix. Else a run would notice it after its first epoch.
    """
    wanted = Config.fromfile(config).get('val_evaluator') or []
    found = set()
    for metric in [wanted] if isinstance(wanted, dict) else wanted:
        cls = resolve_type(metric['type'], METRICS)
        prefix = metric.get('prefix') or getattr(cls, 'default_prefix', None)
        if not prefix:  # the metric's names are known by running it alone
            return
        found.add(prefix)
    if name.split('/')[0] not in found:
        raise ValueError(
            f'{config} has no metric {name!r} on D_v: those of its val_evaluator begin with '
            f'{" or ".join(f"{prefix}/" for prefix in sorted(found))}. '
            'Give one of them with --metric'
        )


def read_options(options: Sequence[str]) -> dict:
    """What ``tools/train.py`` makes of its ``--cfg-options``."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args(['--cfg-options', *options]).cfg_options


class Launcher:
    """Starts trainings and tests, a few at a time. After a failure it starts nothing more.

    Args:
        tools: The folder of ``train.py`` and ``test.py``.
        processes: Of a search. Another run has one process, so that it is the same anywhere.
        jobs: How many trainings at a time.
    """

    def __init__(self, tools: Path, processes: int, jobs: int) -> None:
        self.tools = tools
        self.processes = processes
        self.jobs = jobs
        self.pool = ThreadPoolExecutor(jobs)
        self.failed = Event()

    def submit(self, task: Callable[[], None]) -> Future:
        """Do a task when a job is free. Tasks begin in the order in which they were submitted."""

        def attempt() -> None:
            if self.failed.is_set():
                return
            try:
                task()
            except BaseException:
                self.failed.set()
                raise

        return self.pool.submit(attempt)

    def wait(self, futures: Sequence[Future]) -> None:
        """Wait for tasks.

        Raises:
            Exception: What the first failed task raised, when all that had begun are done.
        """
        self.pool.shutdown()
        for future in futures:
            future.result()

    def train(self, training: Training) -> None:
        """Train, unless it is done. What a killed search had done is taken over."""
        if training.is_trained:
            return
        with console_of(training.work_dir) as console:
            processes = self.processes if training.is_search else 1
            # A search resumes bit for bit. A plain run could miss the validation of an epoch.
            resumes = training.is_search and find_checkpoints(training.work_dir)
            resume = ['--resume'] if resumes else []
            options = ['--work-dir', training.work_dir, *resume]
            options += ['--cfg-options', *training.all_options]
            if processes == 1:
                self.run_python('train', [training.config, *options], console)
            else:
                command = ['bash', self.tools / 'dist_train.sh', training.config, processes]
                self.run([*command, *options], console)

    def test_all(self, training: Training) -> None:
        """Test each model of a finished training, unless that is done."""
        for model in training.models():
            self.test(training, model, training.work_dir / TEST_FILES[model])

    def test(self, training: Training, model: str, out: Path) -> None:
        """Test a model of a training, unless its metrics are in the file ``out`` already."""
        if out.is_file():
            return
        checkpoint = training.checkpoint(model)
        with console_of(out.parent) as console:
            options = ['--out', out, '--work-dir', out.parent / 'test']
            options += ['--cfg-options', *training.all_options]
            self.run_python('test', [training.config, checkpoint, *options], console)

    def run_python(self, name: str, arguments: Sequence, console: TextIO) -> None:
        """Run ``train.py`` or ``test.py`` in one process with its output in a file.

        Raises:
            ChildProcessError: It failed.
        """
        words = [str(part) for part in arguments]
        command = [sys.executable, self.tools / f'{name}.py', *words]
        if not can_start_warm():
            self.run(command, console)
        elif run_warm(f'amlfs_mm.cli.{name}', words, console, self.environment()):
            raise failure(command, console)

    def run(self, command: Sequence, console: TextIO) -> None:
        """Run a command with its output in a file.

        Raises:
            ChildProcessError: It failed.
        """
        words = [str(part) for part in command]
        environment = self.environment()
        done = subprocess.run(words, stdout=console, stderr=subprocess.STDOUT, env=environment)
        if done.returncode:
            raise failure(command, console)

    def environment(self) -> dict[str, str]:
        """The environment variables of a command."""
        environment = {'PORT': free_port(), **os.environ, 'PYTHON': sys.executable}
        if self.jobs > 1:
            threads = max(1, (os.cpu_count() or 1) // self.jobs)
            environment.setdefault('OMP_NUM_THREADS', str(threads))
        return environment


def failure(command: Sequence, console: TextIO) -> ChildProcessError:
    """What to raise when a command has failed."""
    return ChildProcessError(f'{" ".join(map(str, command))} failed: see {console.name}')


@contextmanager
def console_of(work_dir: Path) -> Iterator[TextIO]:
    """The file ``console.log`` of a work dir, to append to, while nobody else runs something there.

    The lock belongs to the open file. A process whose output goes there holds it too: also one that
    goes on when the benchmark itself was killed.

    Raises:
        BlockingIOError: Another process works in this folder.
    """
    work_dir.mkdir(parents=True, exist_ok=True)
    with open(work_dir / 'console.log', 'a') as console:
        try:
            fcntl.flock(console, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BlockingIOError(
                f'another process works in {work_dir}: wait for it, or stop it'
            ) from error
        yield console


def free_port() -> str:
    """A TCP port of this machine that nothing uses."""
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return str(sock.getsockname()[1])
