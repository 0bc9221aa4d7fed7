"""Writing files so that an interrupt leaves the old one or the new one, never a half."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replace_when_whole(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; what the body wrote there then becomes ``path``.

    The content is on disk before the rename. If the body raises, ``path`` stays as it was.
    """
    path = Path(path)
    temporary = path.with_name(f'.{path.name}.part')
    try:
        yield temporary
        with open(temporary, 'rb+') as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
