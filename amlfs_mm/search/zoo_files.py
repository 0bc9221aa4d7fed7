"""The zoo: files of searched losses that ship with the package, named ``zoo:NAME``."""

from __future__ import annotations

from pathlib import Path

PREFIX = 'zoo:'
FOLDER = Path(__file__).parents[1] / 'zoo'


def zoo_names() -> list[str]:
    """The names of the losses in the zoo, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob('*.json'))


def is_zoo_name(text: str | Path) -> bool:
    """Whether a text is ``zoo:NAME`` and not a path."""
    return str(text).startswith(PREFIX)


def loss_path(text: str | Path) -> Path:
    """The file that ``zoo:NAME`` or a path names. ``~`` in a path is the home folder.

    Raises:
        FileNotFoundError: The zoo has no loss of this name. The message lists those it has.
    """
    if not is_zoo_name(text):
        return Path(text).expanduser()
    name = str(text)[len(PREFIX) :]
    if name not in zoo_names():
        raise FileNotFoundError(
            f'the zoo has no loss {name!r}: it has {", ".join(zoo_names()) or "none"} '
            '(amlfs_mm zoo list)'
        )
    return FOLDER / f'{name}.json'
