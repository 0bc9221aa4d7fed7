"""LFW's lists of pairs, ``pairs.txt``, over a folder of one's own aligned images.

The first line has the number of folds and that of pairs of each kind in a fold (or only the
latter). Then there is a line a pair, with tabs between the fields: ``name 1 4`` for two images of
one person, ``name 1 other name 4`` for two persons. In each fold the pairs of one person come
first. Image 4 is ``name/name_0004.jpg``. Source: Huang et al. 2007, Labeled Faces in the Wild, and
its README.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

from amlfs_mm.utils.image_names import IMAGE_EXTENSIONS
from amlfs_mm.utils.paths import user_path
from amlfs_mm.utils.text_lists import Line, read_lines, unquote, whole_number

from ..image_finder import ImageFinder


def read_lfw_pairs(path: str | Path, root: str | Path) -> tuple[list[tuple[str, str]], list[bool]]:
    """The paths of the pairs' images (N pairs), and which pairs show one person (N flags).

    Args:
        path: The list; instead of tabs it may have commas, semicolons or spaces.
        root: The folder with ``<name>/<name>_<4 digits>`` and any usual extension.

    Raises:
        FileNotFoundError: There is no such list or image; the message names line and image.
        ValueError: A line is no pair, or there are not as many as the first line says.
    """
    lines = read_lines(path)
    finder = ImageFinder(user_path(root))
    pairs, is_same = [], []
    for line in lines[1:]:
        one, other = (find_image(finder, path, line, *image) for image in parse_pair(path, line))
        pairs.append((one, other))
        # The folders say it, not the names: a list may write one name in two ways.
        is_same.append(Path(one).parent == Path(other).parent)
    check_count(path, lines[:1], len(pairs))
    finder.log(path)
    return pairs, is_same


def parse_pair(path: str | Path, line: Line) -> tuple[tuple[str, int], tuple[str, int]]:
    """The names and numbers of a pair's two images.

    Raises:
        ValueError: The line is no pair; the message names file and line.
    """
    fields = split_fields(line.text)
    try:
        if len(fields) == 4:
            one, other = fields[:2], fields[2:]
        else:
            name, first, second = fields
            one, other = (name, first), (name, second)
        pair = tuple((name, whole_number(number)) for name, number in (one, other))
        if not all(name and number > 0 for name, number in pair):
            raise ValueError
    except ValueError:
        raise ValueError(
            f'{path}, line {line.number}: {line.text!r} is no pair; expected "name 1 4" or "name 1 '
            'other 4", with numbers from 1'
        ) from None
    return pair


def split_fields(text: str) -> list[str]:
    """The fields of a line between tabs, semicolons, commas or spaces, the first of these it has.

    Spreadsheets put quotes around fields, and empty fields behind them.
    """
    text = text.rstrip(' \t,;')
    separator = next((mark for mark in '\t;,' if mark in text), None)
    if separator is None:
        return [unquote(field) for field in text.split()]
    try:
        fields = next(csv.reader([text], delimiter=separator), [])
    except csv.Error:  # a field of more than 100,000 characters
        fields = [text]
    return [unquote(field) for field in fields]


def check_count(path: str | Path, first: list[Line], found: int) -> None:
    """A list has as many pairs as its first line says, of both kinds together.

    Raises:
        ValueError: The list has more or fewer pairs, or the first line does not say how many.

    When:
        A data set is built.
    """
    fields = [field for field in split_fields(first[0].text) if field] if first else []
    try:
        numbers = [whole_number(field) for field in fields]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2):
        raise ValueError(
            f'{path}, line {first[0].number if first else 1}: it starts with '
            f'{[line.text for line in first]}, expected the number of folds and of pairs in each'
        )
    expected = 2 * math.prod(numbers)
    if found != expected or not found:
        raise ValueError(
            f'{path} has {found} pairs, but its first line says {expected}: it is cut short or '
            'another file'
        )


def find_image(finder: ImageFinder, path: str | Path, line: Line, name: str, number: int) -> str:
    """The path of a person's image.

    Raises:
        FileNotFoundError: It is not there; the message names list, line and image.
        ValueError: Several files could be it.
    """
    image = f'{name}/{name}_{number:04d}'
    try:
        return str(Path(finder.root, finder.find(path, line, image)))
    except FileNotFoundError:
        raise FileNotFoundError(
            f'{path}, line {line.number}: there is no image {Path(finder.root, image)} with one of '
            f'{", ".join(IMAGE_EXTENSIONS)}'
        ) from None
