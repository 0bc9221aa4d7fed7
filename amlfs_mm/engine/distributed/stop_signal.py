"""What SIGTERM and SIGUSR1 do: the search finishes the iteration, saves, and exits with code 75."""

from __future__ import annotations

import signal
import threading

import torch
import torch.distributed as dist

from .liveness import Liveness

EXIT_CODE = 75  # EX_TEMPFAIL of sysexits.h: stopped on request, run again with --resume
SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class StopSignal:
    """Notes that the job shall stop, and lets a candidate's replicas stop at the same iteration.

    Args:
        liveness: Of the job. The signal sets its ``stop_asked``.
        replicas: A gloo group of this candidate's replicas; None if there is one replica.
    """

    def __init__(self, liveness: Liveness, replicas: dist.ProcessGroup | None = None) -> None:
        self.liveness = liveness
        self._replicas = replicas
        self._question: tuple[torch.Tensor, dist.Work] | None = None
        self._former = {}
        if threading.current_thread() is threading.main_thread():  # Python allows no other
            self._former = {number: signal.signal(number, self._note) for number in SIGNALS}

    def release(self) -> None:
        """Restore the former handlers of the signals."""
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former = {}

    def ignore(self) -> None:
        """Ignore the signals from now on: the process is already ending."""
        for number in self._former:
            signal.signal(number, signal.SIG_IGN)

    def is_due(self) -> bool:
        """Whether to stop now: the same answer in all replicas at the same call.

        The answer is what the replicas knew one call ago. So no replica waits for the others.
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
        self.liveness.stop_asked = True  # no message: the signal may interrupt another message
