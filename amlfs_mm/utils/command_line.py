"""What command-line tools share: types of arguments, and errors as one line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config

from .paths import user_path


def positive_int(text: str) -> int:
    """A whole number >= 1. A type for argparse."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'must be a whole number >= 1, got {text!r}')
    return int(text)


def json_file(text: str) -> Path:
    """The path of a loss or a loss schedule to write. A type for argparse."""
    path = user_path(text)
    if path.suffix != '.json':
        raise argparse.ArgumentTypeError(
            f'must end in .json, by which a config tells a file from a known loss, got {text!r}'
        )
    return path


def config_file(text: str) -> Path:
    """The file of a config: a path, or ``package::name`` as in ``_base_``. A type for argparse."""
    if '::' not in text:
        return user_path(text)
    try:
        return Path(Config._get_cfg_path(text, filename='')[0])
    except (AssertionError, OSError, ImportError, ValueError) as error:
        raise argparse.ArgumentTypeError(f'there is no config {text}: {error}') from error


def program_name() -> str:
    """The name that argparse gives this program: ``train.py``, or ``amlfs_mm train``."""
    return os.path.basename(sys.argv[0])


@contextmanager
def errors_as_messages() -> Iterator[None]:
    """Turn the body's errors about files, values and missing packages into an exit.

    Raises:
        SystemExit: In place of an ImportError, an OSError or a ValueError. Its message starts with
            the name of the program.
    """
    try:
        yield
    except (ImportError, OSError, ValueError) as error:
        raise SystemExit(f'{program_name()}: {error}') from error
