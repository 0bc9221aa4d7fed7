"""Whether each process of the job is alive, and what it is doing.

A collective of torch waits in native code. It cannot be interrupted. If a process is missing, the
collective does not say which one. So the processes of a job wait for each other here, before the
collectives that join candidates. They do so with short notes in the job's key-value store. A
process that fails, or that is asked to stop, leaves a note too.
"""

from __future__ import annotations

import os
import time
from datetime import timedelta

import torch.distributed as dist

WAIT = timedelta(seconds=1)  # longest wait in the store before other notes are read
GRACE = 10  # seconds in which the others read of a stop before the store may end


class StopRequested(Exception):
    """The job was asked to stop while this process waited for the others."""


class JobFailed(RuntimeError):
    """Another process failed or hangs. The message says which one, and what it was doing."""


class Liveness:
    """Positions and signs of life of a job's processes; without a store, of this process only.

    Args:
        store: The job's store, or None for a single process.
        rank: Of this process in the job.
        size: Number of processes in the job.
        timeout: Seconds without a sign of life after which a process counts as hung.

    Attributes:
        position: What this process is doing, for messages: ``'epoch 3, candidate 5'``.
        stop_asked: Whether this process knows that the job was asked to stop.
    """

    def __init__(
        self, store: dist.Store | None = None, rank: int = 0, size: int = 1, timeout: float = 1800
    ) -> None:
        self.store = None if store is None else dist.PrefixStore('amlfs_liveness', store)
        self.rank = rank
        self.size = size
        self.timeout = timeout
        self.position = 'the start'
        self.stop_asked = False
        self._pause = min(2.0, timeout / 4)
        self._heartbeats = 0
        self._last_heartbeat = -float('inf')
        self._last_look = -float('inf')
        self._seen: dict[int, tuple[bytes, float]] = {}
        self.heartbeat()

    def heartbeat(self, at_once: bool = False) -> None:
        """Give a sign of life, and read whether the job failed or shall stop.

        Most calls only look at the clock. Every 2 seconds a call exchanges three short messages.

        Raises:
            JobFailed: Another process has failed meanwhile, or the store is gone.
        """
        now = time.monotonic()
        if self.store is None or (now - self._last_heartbeat < self._pause and not at_once):
            return
        self._last_heartbeat = now
        self._heartbeats += 1
        try:
            self.store.set(f'alive/{self.rank}', f'{self._heartbeats} {self.position}')
            failure = self.failure_elsewhere()
            if self.stop_asked:
                self.store.set('stop', '')
            else:
                self.stop_asked = self.store.check(['stop'])
        except dist.DistError as error:
            raise JobFailed(
                'lost contact with the job: its launcher or rank 0 has ended'
            ) from error
        if failure:
            raise JobFailed(failure)

    def barrier(self, place: str) -> None:
        """Wait until every process of the job has come to ``place``, a name used once in a job.

        Raises:
            StopRequested: The job was asked to stop meanwhile.
            JobFailed: A process failed, or gave no sign of life for ``timeout`` seconds.
        """
        if self.store is None:
            return
        self.heartbeat(at_once=True)
        self.store.set(f'{place}/{self.rank}', '')
        # The first outcome that is written counts: all processes go on, or all stop.
        if self.store.add(f'{place}/arrived', 1) == self.size:
            self.store.compare_set(f'{place}/outcome', '', 'complete')
        while not self._appears(f'{place}/outcome'):
            self.heartbeat()
            if self.stop_asked:
                self.store.compare_set(f'{place}/outcome', '', 'stopped')
            self._raise_if_silent(place)
        if self.store.get(f'{place}/outcome') == b'stopped':
            self.stop_asked = True
            raise StopRequested

    def close(self, stopping: bool = False) -> None:
        """Tell the others that this process ends.

        The store may live in this process: in rank 0, unless torchrun started the job. Then the
        method waits until the others have read the note, or for some seconds.

        Args:
            stopping: Whether the process ends because the job was asked to stop.

        Raises:
            JobFailed: The job was asked to stop, but another process failed meanwhile.
        """
        if self.store is None:
            return
        hosts = self.rank == 0 and os.environ.get('TORCHELASTIC_USE_AGENT_STORE') != 'True'
        deadline = time.monotonic() + GRACE
        self.stop_asked |= stopping
        try:
            if stopping:
                self.heartbeat(at_once=True)
            left = self.store.add('left', 1)
            while hosts and left < self.size and time.monotonic() < deadline:
                time.sleep(0.1)
                if stopping:
                    self.heartbeat()
                left = self.store.add('left', 0)
        except JobFailed:
            if self.failure_elsewhere():
                raise
        except dist.DistError:
            return  # the other processes have ended

    def fail(self, message: str) -> None:
        """Leave a note of this process's failure, unless another process failed before it."""
        if self.store is not None:
            try:
                self.store.compare_set('failure', '', f'{self.rank} {message}')
            except dist.DistError:
                return  # the store ended with the launcher, and so did the other processes

    def failure_elsewhere(self) -> str | None:
        """The note of the first process that failed; None if none failed, or this one."""
        try:
            if self.store is None or not self.store.check(['failure']):
                return None
            rank, message = self.store.get('failure').decode().split(' ', 1)
        except dist.DistError:  # the store has ended, and its notes are lost
            return None
        return None if int(rank) == self.rank else message

    def position_of(self, rank: int) -> str:
        """What a process was doing at its last sign of life."""
        if self.store is None or not self.store.check([f'alive/{rank}']):
            return 'not yet started'
        return self.store.get(f'alive/{rank}').decode().split(' ', 1)[1]

    def _appears(self, key: str) -> bool:
        assert self.store is not None
        try:
            self.store.wait([key], WAIT)
        except dist.DistStoreError:
            return False
        return True

    def _raise_if_silent(self, place: str) -> None:
        assert self.store is not None
        now = time.monotonic()
        if now - self._last_look < self._pause:
            return
        self._last_look = now
        silent = []
        for rank in range(self.size):
            if self.store.check([f'{place}/{rank}']) or not self.store.check([f'alive/{rank}']):
                continue
            beat = self.store.get(f'alive/{rank}')
            if self._seen.get(rank, (b'', now))[0] != beat:
                self._seen[rank] = (beat, now)
            elif now - self._seen[rank][1] > self.timeout:
                silent.append(f'rank {rank} ({self.position_of(rank)})')
        if silent:
            raise JobFailed(
                f'no sign of life for {self.timeout:.0f} s (env_cfg.dist_cfg.timeout) from '
                f'{", ".join(silent)}'
            )
