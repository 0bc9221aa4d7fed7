"""A failure inside a run, told once: by the process that failed, with the cause."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .population import Population


class CandidateError(RuntimeError):
    """Training failed; the message says in which rank, candidate, epoch and iteration, and why."""


@contextmanager
def worker_deaths_heard(error: Exception) -> Iterator[Exception]:
    """Give the cause of ``error``; meanwhile no dead loader worker interrupts who tells of it.

    A loader worker that dies is often noticed by its broken connection, some moments before the
    SIGCHLD at which torch raises an error that says what happened, wherever the process is then.
    """
    if threading.current_thread() is not threading.main_thread():  # signals go to the main thread
        yield error
        return
    handler = signal.getsignal(signal.SIGCHLD)
    cause = error
    silent = False
    while not silent:
        try:
            if cause is error and isinstance(error, (EOFError, ConnectionError)):
                time.sleep(1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            silent = True
        except RuntimeError as death:
            cause = death
    try:
        yield cause
    finally:
        signal.signal(signal.SIGCHLD, handler)


def explain_failure(error: Exception, population: Population) -> BaseException:
    """What to raise in this process: its own failure, named, or an exit if another's came first."""
    liveness = population.liveness
    message = f'rank {liveness.rank} failed in {liveness.position}: {type(error).__name__}: {error}'
    if population.replicas > 1 and population.processes:
        others = [p.rank for p in population.processes[population.sub_runner]]
        others.remove(liveness.rank)
        message += '. The replicas of the same candidate: ' + ', '.join(
            f'rank {rank} in {liveness.position_of(rank)}' for rank in others
        )
    liveness.fail(message)
    elsewhere = liveness.failure_elsewhere()
    liveness.close()
    if elsewhere is None:
        return CandidateError(message)
    print(f'rank {liveness.rank} stops, for {elsewhere}', file=sys.stderr)
    return SystemExit(1)
