"""One training at a time in a work dir."""

from __future__ import annotations

import fcntl
import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK_FILE = '.training.lock'


@contextmanager
def only_training_in(directory: str | Path) -> Iterator[None]:
    """Hold a work dir, so that no other process of this machine trains in it.

    Two trainings would move each other's checkpoints away and write over each other's files. The
    lock ends with the process, however that ends. It is not inherited by loader workers, which may
    live on for a moment. A lock of another machine may be one that a crash left on a file server:
    it gives a warning only. A file system without locks gives none.

    Raises:
        BlockingIOError: Another process of this machine trains there.
    """
    path = Path(directory) / LOCK_FILE
    with open(path, 'a+') as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # POSIX allows both
            file.seek(0)
            process, _, machine = file.read().partition(' on ')
            if machine == socket.gethostname():
                raise BlockingIOError(
                    f'process {process} trains in {directory}: wait for it, stop it, or give this '
                    'run another --work-dir'
                ) from None
            warnings.warn(
                f'process {process} on {machine or "another machine"} trains in {directory}, or '
                f'did when that machine crashed. If it still does, stop one of the two: they write '
                'over each other. Two runs need two work dirs',
                stacklevel=2,
            )
        except OSError:
            pass
        else:
            file.truncate(0)
            file.write(f'{os.getpid()} on {socket.gethostname()}')
            file.flush()
        yield
