"""Write files and folders whole: after an interrupt there is the old one or the new one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``. At the end, the temporary file replaces ``path``.

    The content is on disk before the rename. The rename is on disk before this returns. If the body
    raises, ``path`` does not change.

    Raises:
        OSError: It could not be written (disk full, no permission); the message names ``path`` and
            the space left.
    """
    path = Path(path)
    temporary = path.with_name(f'.{path.name}.part')
    try:
        yield temporary
        with open(temporary, 'rb+') as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise OSError(
            error.errno,
            f'cannot write {path}: {error.strerror or error}; '
            f'{_free_megabytes(path.parent)} MB free there. What was there before is untouched',
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _free_megabytes(directory: Path) -> int | str:
    try:
        return shutil.disk_usage(directory).free // 2**20
    except OSError:
        return 'unknown'


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``. At the end, it is renamed to ``path``.

    If the body raises, the temporary folder is removed. If a process is killed, the next call with
    the same ``path`` removes what it left.

    Raises:
        FileExistsError: There is something at ``path`` already.
    """
    path = Path(path)
    if path.exists():
        raise FileExistsError(f'{path} exists: remove it, or choose another name')
    temporary = path.with_name(f'.{path.name}.part')
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        os.rename(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
