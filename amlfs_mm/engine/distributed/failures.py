"""One error message for a failed job, from the process that failed, with the cause."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .population import Population


class CandidateError(RuntimeError):
    """Training failed. The message says in which rank, candidate, epoch and iteration, and why."""


@contextmanager
def dead_workers_awaited(error: Exception) -> Iterator[Exception]:
    """Yield the cause of ``error``, which may be a loader worker that died.

    The main process often notices a dead worker first by a broken connection. Some moments later
    SIGCHLD comes, at which torch raises an error that says what happened, wherever the process is
    then. This function waits for that error. While the body runs, no such error can interrupt it.
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
    """What this process shall raise: its own error with the position, or an exit with code 1.

    It exits if another process failed first: that one reports the cause.
    """
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
