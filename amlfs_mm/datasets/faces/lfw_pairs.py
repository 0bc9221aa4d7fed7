"""LFW's lists of pairs, ``pairs.txt``, over a folder of one's own aligned images.

The first line has the number of folds and that of pairs of each kind in a fold (or only the
latter); then a line a pair, tabs between: ``name 1 4`` for two images of one person, ``name 1 other
name 4`` for two persons, each fold's pairs of one person first. Image 4 is ``name/name_0004.jpg``.
Source: Huang et al. 2007, Labeled Faces in the Wild, and its README.
"""

from __future__ import annotations

from pathlib import Path

from .face_sources import EXTENSIONS


def read_lfw_pairs(path: str | Path, root: str | Path) -> tuple[list[tuple[str, str]], list[bool]]:
    """The paths of the pairs' images, and which pairs show one person.

    Args:
        path: The list.
        root: The folder with ``<name>/<name>_<4 digits>`` and any usual extension.

    Raises:
        FileNotFoundError: There is no such list or image; the message names it.
        ValueError: A line is no pair, or there are not as many as the first line says.
    """
    lines = Path(path).read_text().splitlines()
    pairs, is_same = [], []
    for number, line in enumerate(lines[1:], start=2):
        fields = line.split('\t') if '\t' in line else line.split()
        if not fields:
            continue
        try:
            # (name, first, second) or (name, first, other name, second)
            one, other = (
                (fields[:2], fields[-2:]) if len(fields) == 4 else (fields[:2], fields[::2])
            )
            pairs.append(tuple(find_image(Path(root), name, int(i)) for name, i in (one, other)))
        except ValueError:
            raise ValueError(
                f'{path}, line {number}: {line!r} is no pair; expected "name 1 4" or "name 1 other '
                '4"'
            ) from None
        is_same.append(len(fields) == 3)
    check_count(path, lines[:1], len(pairs))
    return pairs, is_same


def check_count(path: str | Path, first: list[str], found: int) -> None:
    """There are as many pairs as the first line says, of both kinds together."""
    numbers = first[0].split() if first else []
    if len(numbers) not in (1, 2) or not all(number.isdigit() for number in numbers):
        raise ValueError(
            f'{path} starts with {first}, expected the number of folds and of pairs in each'
        )
    expected = 2
    for number in numbers:
        expected *= int(number)
    if found != expected or not found:
        raise ValueError(
            f'{path} has {found} pairs, but its first line says {expected}: it is cut short or '
            'another file'
        )


def find_image(root: Path, name: str, number: int) -> str:
    """The path of a person's image."""
    place = root / name / f'{name}_{number:04d}'
    for extension in EXTENSIONS:
        path = place.with_name(place.name + extension)
        if path.is_file():
            return str(path)
    raise FileNotFoundError(f'there is no image {place} with one of {", ".join(EXTENSIONS)}')
