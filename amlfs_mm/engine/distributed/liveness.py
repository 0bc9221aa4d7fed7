"""Where each process of the job is, and whether it is alive: notes in the job's key-value store.

Collectives wait in native code. They cannot be interrupted, and when a peer is missing they do not
say whose work was lost. So processes meet here before the collectives that join candidates, and
leave word here when they fail or are asked to stop.
"""

from __future__ import annotations

import os
import time
from datetime import timedelta

import torch.distributed as dist

DEAF = timedelta(seconds=1)  # how long a wait in the store does not look at anything else
GRACE = 10  # seconds for the others to hear of a stop before the store may go


class StopRequested(Exception):
    """The job was asked to stop while this process waited for the others."""


class JobFailed(RuntimeError):
    """Another process failed or fell silent; the message says which and what it was doing."""


class Liveness:
    """Positions and signs of life of a job's processes. Without a store: of this process only.

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
        """Give a sign of life and hear the news: a look at the clock, and every 2 s three messages.

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
        # The first word stands, so that all go on or all stop.
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
        """Say that this process ends, and why if it stops on request.

        If the store lives in this process (rank 0's, but under torchrun), it waits for the others
        to hear of it, or for some seconds.

        Raises:
            JobFailed: Stopping, another process failed, which is what the job shall report.
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
            return  # nobody is left to wait for

    def fail(self, message: str) -> None:
        """Leave word of this process's failure, unless another failed before it."""
        if self.store is not None:
            try:
                self.store.compare_set('failure', '', f'{self.rank} {message}')
            except dist.DistError:
                return  # the store has gone with the launcher: nobody is left to be told

    def failure_elsewhere(self) -> str | None:
        """What the first process to fail said, if that is another one."""
        try:
            if self.store is None or not self.store.check(['failure']):
                return None
            rank, message = self.store.get('failure').decode().split(' ', 1)
        except dist.DistError:  # the store is gone, and with it all that was said
            return None
        return None if int(rank) == self.rank else message

    def position_of(self, rank: int) -> str:
        """What a process last said it was doing."""
        if self.store is None or not self.store.check([f'alive/{rank}']):
            return 'not yet started'
        return self.store.get(f'alive/{rank}').decode().split(' ', 1)[1]

    def _appears(self, key: str) -> bool:
        try:
            self.store.wait([key], DEAF)
        except dist.DistStoreError:
            return False
        return True

    def _raise_if_silent(self, place: str) -> None:
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
