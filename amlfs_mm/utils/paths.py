"""Paths as users write them: ``~`` stands for the home directory."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def user_path(text: str | Path) -> Path:
    """The path that a text names. A type for argparse.

    A shell expands ``~`` only where a word begins with it: not in ``--work-dir=~/runs``.
    """
    return Path(os.path.expanduser(text))


def expand_home(text: str) -> str:
    """The same text; with the home directory, where it begins with ``~`` or ``~user``."""
    return os.path.expanduser(text)


def expand_home_in_config(config: Any) -> None:
    """Expand ``~/`` at the beginning of every text in nested dicts, lists and tuples, in place."""
    if hasattr(config, 'items'):
        pairs: Iterable = list(config.items())
    elif isinstance(config, list):
        pairs = list(enumerate(config))
    else:
        return
    for key, value in pairs:
        expanded = _expanded(value)
        if expanded is not value:
            config[key] = expanded


def _expanded(value: Any) -> Any:
    """The value itself, if there is nothing to expand; dicts and lists are changed in place."""
    if isinstance(value, str):
        return expand_home(value) if value == '~' or value.startswith('~/') else value
    if type(value) is tuple:
        parts = tuple(_expanded(part) for part in value)
        changed = any(one is not other for one, other in zip(parts, value, strict=True))
        return parts if changed else value
    expand_home_in_config(value)
    return value
