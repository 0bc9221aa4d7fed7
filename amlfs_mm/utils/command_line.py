"""What command-line tools share: types of arguments, and errors as one line."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager


def positive_int(text: str) -> int:
    """A whole number >= 1. A type for argparse."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'must be a whole number >= 1, got {text!r}')
    return int(text)


@contextmanager
def errors_as_messages(program: str) -> Iterator[None]:
    """Turn the body's errors about files and values into an exit with their message.

    Args:
        program: Name of the tool, with which the message starts.

    Raises:
        SystemExit: In place of an OSError or a ValueError.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        raise SystemExit(f'{program}: {error}') from error
