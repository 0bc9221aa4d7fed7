"""Checkpoints in a work dir: which there are, and which are whole."""

from __future__ import annotations

import zipfile
from pathlib import Path


def find_checkpoints(directory: str | Path) -> list[Path]:
    """``epoch_<n>.pth``, newest first; before them what ``last_checkpoint`` names, if another."""
    directory = Path(directory)
    numbered = {
        int(path.stem.removeprefix('epoch_')): path
        for path in directory.glob('epoch_*.pth')
        if path.stem.removeprefix('epoch_').isdigit()
    }
    found = [numbered[epoch] for epoch in sorted(numbered, reverse=True)]
    pointer = directory / 'last_checkpoint'
    named = pointer.read_text().strip() if pointer.is_file() else ''
    # The name alone: the work dir may have been moved.
    last = directory / Path(named).name
    if named and last.is_file() and last not in found:
        found.insert(0, last)
    return found


def is_whole(path: str | Path) -> bool:
    """Whether a checkpoint is a complete zip archive whose every part has its checksum."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, OSError, EOFError):
        return False
