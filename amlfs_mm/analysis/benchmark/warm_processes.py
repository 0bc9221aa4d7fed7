"""Commands of this package in processes that have imported torch and OpenMMLab already.

To start Python and import all of it takes seconds, which is more than a small network trains.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from multiprocessing.reduction import DupFd
from typing import TextIO

import torch
from mmengine.device import get_device

COMMANDS = ('amlfs_mm.cli.train', 'amlfs_mm.cli.test')
PARTS = ('amlfs_mm.datasets', 'amlfs_mm.engine', 'amlfs_mm.evaluation', 'amlfs_mm.models')


def can_start_warm() -> bool:
    """Whether a command may run in a fork: not with a GPU, which a fork cannot use.

    OpenMMLab asks for the GPU when it is imported; a process that did so cannot share it with its
    forks.
    """
    return get_device() == 'cpu'


def run_warm(
    module: str, arguments: Sequence[str], console: TextIO, environment: Mapping[str, str]
) -> int:
    """Run ``main(arguments)`` of a module in a process of its own, and wait for its end.

    The process is a fork of one that has done the imports. It is started with the first command.

    Args:
        module: One of ``COMMANDS``.
        arguments: The words of the command line after the name.
        console: Where its output goes. The process holds a lock on this file as long as it lives.
        environment: All environment variables.

    Returns:
        The exit code.
    """
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload([*COMMANDS, *PARTS])
    output = _Inherited(console.fileno())
    process = context.Process(
        target=_run, args=(module, list(arguments), output, dict(environment))
    )
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


class _Inherited:
    """An open file that a process gets from the one that starts it."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple:
        return _receive, (DupFd(self.number),)


def _receive(duplicate) -> int:
    return duplicate.detach()


def _run(module: str, arguments: list[str], output: int, environment: dict[str, str]) -> None:
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)  # the lock on the file is the other two's as well
    multiprocessing.set_start_method(None, force=True)  # as in a process that was started anew
    os.environ.clear()
    os.environ.update(environment)
    # torch has read this variable when it was imported. It may be a list, for nested levels.
    threads = environment.get('OMP_NUM_THREADS', '').split(',')[0].strip()
    if threads.isdigit() and int(threads) > 0:  # others are ignored, as by OpenMP
        torch.set_num_threads(int(threads))
    sys.argv = [module.rpartition('.')[2], *arguments]
    import_module(module).main(arguments)
