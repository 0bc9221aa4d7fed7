"""Paths as users write them: ``~`` stands for the home directory."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def user_path(text: str) -> Path:
    """The path that a text names. A type for argparse.

    A shell expands ``~`` only where a word begins with it: not in ``--work-dir=~/runs``.
    """
    return Path(os.path.expanduser(text))


def expand_home(text: str) -> str:
    """The same text; with the home directory, where it begins with ``~`` or ``~user``."""
    return os.path.expanduser(text)


def expand_home_in_config(config: Any) -> None:
    """Expand ``~/`` at the beginning of every text in nested dicts and lists, in place."""
    pairs: Iterable
    if hasattr(config, 'items'):
        pairs = list(config.items())
    elif isinstance(config, list):
        pairs = list(enumerate(config))
    else:
        return
    for key, value in pairs:
        if isinstance(value, str):
            if value == '~' or value.startswith('~/'):
                config[key] = expand_home(value)
        else:
            expand_home_in_config(value)
