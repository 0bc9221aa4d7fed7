"""Checkpoint files: which there are, which are whole, and what is in them."""

from __future__ import annotations

import os
import pickle
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch


def find_checkpoints(directory: str | Path, also: Iterable[str | Path] = ()) -> list[Path]:
    """The checkpoints of a run that can be resumed from, the newest first.

    These are ``epoch_<n>.pth`` and ``iter_<n>.pth``, and before them what ``last_checkpoint``
    names, if it is another. If the directory has none, those are taken that lie where
    ``last_checkpoint`` points to: a config can keep them elsewhere (``CheckpointHook(out_dir=)``).

    Args:
        directory: The work dir.
        also: Further directories where checkpoints of the run may lie.
    """
    directory = Path(directory)
    pointer = directory / 'last_checkpoint'
    named = pointer.read_text().strip() if pointer.is_file() else ''
    found = _numbered(directory)
    # The name alone: the work dir may have been moved.
    last = directory / Path(named).name
    if named and last.is_file() and last not in found:
        found.insert(0, last)
    if found or is_remote(named):
        return found
    last = Path(named).expanduser()
    elsewhere = [Path(path).expanduser() for path in also]
    if named and last.parent not in elsewhere:
        elsewhere.append(last.parent)
    found = [path for place in elsewhere for path in _numbered(place)]
    if named and last.is_file() and last not in found:
        found.insert(0, last)
    return found


def last_remote_checkpoint(directory: str | Path) -> str | None:
    """What ``last_checkpoint`` names, if it lies in a remote store."""
    pointer = Path(directory) / 'last_checkpoint'
    named = pointer.read_text().strip() if pointer.is_file() else ''
    return named if is_remote(named) else None


def is_remote(path: str | Path) -> bool:
    """Whether a path names something that MMEngine fetches, such as ``https://`` or ``s3://``."""
    return '://' in str(path)


def _numbered(directory: Path) -> list[Path]:
    """``epoch_<n>.pth`` and then ``iter_<n>.pth``, the largest n first."""
    found = []
    for kind in ('epoch', 'iter'):
        numbers = {
            int(match[1]): path
            for path in directory.glob(f'{kind}_*.pth')
            if (match := re.fullmatch(rf'{kind}_(\d+)\.pth', path.name))
        }
        found += [numbers[number] for number in sorted(numbers, reverse=True)]
    return found


def is_whole(path: str | Path) -> bool:
    """Whether a checkpoint is a complete zip archive whose every part has its checksum."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, OSError, EOFError):
        return False


def check_checkpoint_file(path: str | Path) -> None:
    """A checkpoint that is named is a file with something in it.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The path is a directory, or the file is empty.

    When:
        A checkpoint is read.
    """
    path = Path(path)
    if path.is_dir():
        checkpoints = find_checkpoints(path)
        hint = f'one in it, such as {checkpoints[0]}' if checkpoints else 'a file'
        raise ValueError(f'{str(path)!r} is a directory, not a checkpoint: give {hint}')
    if not path.is_file():
        raise FileNotFoundError(f'there is no checkpoint {str(path)!r}')
    if path.stat().st_size == 0:
        raise ValueError(f'{path} is damaged, it is empty: use the checkpoint before it')


def read_checkpoint(path: str | Path, tensors: bool = True) -> dict:
    """The content of a checkpoint, on the CPU, read without running anything that is in it.

    Args:
        path: Of a file.
        tensors: Whether the values of tensors are wanted; without, only shapes are read, which
            takes no time and no memory (tensors are on the device ``meta``).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, or no checkpoint, or holds what could run code.
    """
    check_checkpoint_file(path)
    device = 'cpu' if tensors else 'meta'
    with reading(path):
        content = _load(path, device)
    if not isinstance(content, dict):
        raise ValueError(
            f'{path} is no checkpoint: it holds a {type(content).__name__}, not a dict of weights'
        )
    return content


def _load(path: str | Path, device: str) -> Any:
    try:
        return torch.load(path, map_location=device, weights_only=True, mmap=True)
    except RuntimeError as error:
        if 'mmap can only be used' not in str(error):
            raise
    try:
        return torch.load(path, map_location=device, weights_only=True)  # an old format
    except (pickle.UnpicklingError, RuntimeError, OSError, EOFError):
        raise
    except Exception as error:  # what a pickle machine says of other files
        raise pickle.UnpicklingError(f'{type(error).__name__}: {error}') from error


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Errors of torch about a file's content become ones that name the file and the cure.

    Raises:
        ValueError: The file is damaged, or no checkpoint, or holds what could run code.
    """
    try:
        yield
    except pickle.UnpicklingError as error:
        raise ValueError(
            f'{path} is refused: it is no checkpoint, or holds objects other than tensors, '
            f'numbers and mmengine histories, which could run code. ({_first_line(error)})'
        ) from error
    except (RuntimeError, OSError, EOFError) as error:  # torch's ways to say it is cut short
        if isinstance(error, RuntimeError) and 'PytorchStreamReader' not in str(error):
            raise
        raise ValueError(
            f'{path} is damaged, perhaps cut short: use the checkpoint before it. '
            f'({_first_line(error)})'
        ) from error


def expand_checkpoint(path: str | Path) -> str:
    """The path of a checkpoint with ``~`` expanded; what is fetched stays as it is."""
    return str(path) if is_remote(path) else os.path.expanduser(path)


def _first_line(error: BaseException) -> Any:
    lines = [line for line in str(error).splitlines() if 'Unsupported' in line or 'error' in line]
    return (lines or str(error).splitlines() or [type(error).__name__])[0].strip()
