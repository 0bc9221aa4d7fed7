"""SIGTERM and SIGUSR1: finish the iteration, save, exit with code 75."""

from __future__ import annotations

import signal
import threading

import torch
import torch.distributed as dist

from .liveness import Liveness

EXIT_CODE = 75  # EX_TEMPFAIL of sysexits.h: stopped on request, run again with --resume
SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class StopSignal:
    """Notes a request to stop, and lets a candidate's replicas stop at the same iteration.

    Args:
        liveness: Of the job; its ``stop_asked`` is set by the signal.
        replicas: A gloo group of this candidate's replicas; None if there is one.
    """

    def __init__(self, liveness: Liveness, replicas: dist.ProcessGroup | None = None) -> None:
        self.liveness = liveness
        self._replicas = replicas
        self._question: tuple[torch.Tensor, dist.Work] | None = None
        self._former = {}
        if threading.current_thread() is threading.main_thread():  # Python allows no other
            self._former = {number: signal.signal(number, self._note) for number in SIGNALS}

    def release(self) -> None:
        """Give the signals back to their former handlers."""
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former = {}

    def ignore(self) -> None:
        """Let no further signal disturb the end of this process."""
        for number in self._former:
            signal.signal(number, signal.SIG_IGN)

    def is_due(self) -> bool:
        """Whether to stop now: the same answer in all replicas at the same call.

        A replica is told what the others knew one call ago, so that it never waits for them.
        """
        if self._replicas is None:
            return self.liveness.stop_asked
        due = False
        if self._question is not None:
            answer, work = self._question
            work.wait()
            due = bool(answer.item())
        answer = torch.tensor([int(self.liveness.stop_asked)])
        work = dist.all_reduce(answer, dist.ReduceOp.MAX, group=self._replicas, async_op=True)
        self._question = answer, work
        return due

    def _note(self, number: int, frame: object) -> None:
        self.liveness.stop_asked = True  # no message from here: it may have come amid another
