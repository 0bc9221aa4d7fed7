"""Text and JSON files: written whole, read with an error that names the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .atomic_files import atomic_write


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all; make its folder if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_text(text)


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file as :func:`write_text` does, a value a line."""
    write_text(path, json.dumps(content, indent=1) + '\n')


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        OSError: The file cannot be opened.
        ValueError: It is no JSON, or is cut short.
    """
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f'{path} is no JSON, or is cut short: {error}') from error
