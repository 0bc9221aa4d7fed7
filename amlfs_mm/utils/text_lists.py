"""Reading lists: text files with one entry a line, as people's tools write them.

Read are UTF-8, with or without a byte order mark, and UTF-16 and UTF-32 with one; line ends of
Unix, Windows and old Macs; blank lines; quotes, tabs, commas and semicolons of spreadsheets.
Names are first looked up as they are written, then without regard to what tools change in them.
"""

from __future__ import annotations

import codecs
import logging
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from mmengine.logging import print_log

from .image_names import is_image_name
from .paths import user_path

MARKS = (  # UTF-32 first: its little-endian mark starts with that of UTF-16
    (codecs.BOM_UTF8, 'utf-8'),
    (codecs.BOM_UTF32_LE, 'utf-32-le'),
    (codecs.BOM_UTF32_BE, 'utf-32-be'),
    (codecs.BOM_UTF16_LE, 'utf-16-le'),
    (codecs.BOM_UTF16_BE, 'utf-16-be'),
)
REAL_NUMBER = re.compile(r'[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?')
LINE_END = re.compile(r'\r\n|\n|\r')
SEPARATORS = ('\t', ';', None, ',')
"""None: any spaces."""
T = TypeVar('T')


class Line(NamedTuple):
    """A line of a list."""

    number: int
    """From 1."""
    text: str
    """Without spaces around it."""


def read_lines(path: str | Path, comments: bool = False) -> list[Line]:
    """The lines of a text file that are not blank.

    Args:
        path: The file; ``~`` is the home folder.
        comments: Whether lines that start with ``#`` do not count.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not text in one of the encodings above; the message names the line.
    """
    lines = [
        Line(number, text.strip())
        for number, text in enumerate(LINE_END.split(read_text(path)), start=1)
    ]
    return [line for line in lines if line.text and not (comments and line.text.startswith('#'))]


def read_text(path: str | Path) -> str:
    """The text of a file, whatever of the encodings above it has.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not text in one of the encodings above; the message names the line.
    """
    content = user_path(path).read_bytes()
    mark, encoding = next(
        ((mark, name) for mark, name in MARKS if content.startswith(mark)), (b'', 'utf-8')
    )
    content = content[len(mark) :]
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(encoding)
        raise ValueError(
            f'{path}, line {count_lines(before)}: this is not {encoding.upper()} text '
            f'({error.reason}): save the file as UTF-8'
        ) from error
    if '\0' in text:  # UTF-16 without a mark looks so, and binary files
        number = count_lines(text[: text.index('\0')])
        raise ValueError(
            f'{path}, line {number}: there is a zero byte, which text does not have: save the file '
            'as UTF-8'
        )
    return text


def count_lines(text: str) -> int:
    """The number, from 1, of the line that a text ends in."""
    return 1 + len(LINE_END.findall(text))


def split_numbers(text: str, count: int, kind: Callable[[str], T]) -> tuple[str, list[T]] | None:
    """A line's name and the numbers behind it, or None if the line has not that form.

    The name may have spaces in it, with or without quotes around it. Between the fields are tabs,
    semicolons (the numbers may then have decimal commas), spaces, or commas.

    Args:
        text: The line.
        count: How many numbers there are.
        kind: :func:`whole_number` or :func:`real_number`.
    """
    text = text.rstrip(' \t,;')
    for separator in SEPARATORS:
        fields = text.rsplit(separator, count)
        if len(fields) != count + 1:
            continue
        name, *fields = fields
        fields = [unquote(field) for field in fields]
        if separator in ('\t', ';'):
            fields = [field.replace(',', '.') for field in fields]
        try:
            numbers = [kind(field) for field in fields]
        except ValueError:
            continue
        name = unquote(name.strip(' \t,;'))
        return (name, numbers) if name else None
    return None


def whole_number(text: str) -> int:
    """The integer that a field says; ``1_000`` and ``1.0`` are none.

    Raises:
        ValueError: It says none.
    """
    if not re.fullmatch(r'[+-]?[0-9]{1,18}', text):
        raise ValueError(f'{text!r} is no whole number')
    return int(text)


def real_number(text: str) -> float:
    """The finite number that a field says; ``nan`` and ``1_000`` are none.

    Raises:
        ValueError: It says none.
    """
    number = float(text) if REAL_NUMBER.fullmatch(text) else math.inf
    if not math.isfinite(number):
        raise ValueError(f'{text!r} is no number')
    return number


def parse_label(path: str | Path, line: Line, num_classes: int | None = None) -> tuple[str, int]:
    """The name and the label of a line ``<name> <label>``.

    Args:
        path: The list, for the error.
        line: Its line.
        num_classes: C; None: not known.

    Raises:
        ValueError: It is no such line, or the label is outside [0, C); the message names file, line
            and range.
    """
    found = split_numbers(line.text, 1, whole_number)
    if found is None:
        raise ValueError(
            f'{path}, line {line.number}: {line.text!r} is not <path> <label> with a whole number '
            'as label'
        )
    name, (label,) = found
    check_listed_label(path, line, name, label, num_classes)
    return name, label


def check_listed_label(
    path: str | Path, line: Line, name: str, label: int, num_classes: int | None
) -> None:
    """A label in a list is a class: in [0, C), or 0 or more if C is not known.

    Raises:
        ValueError: The label is no class; the message names file, line and range.

    When:
        A data set with a list is built.
    """
    if label < 0 or (num_classes is not None and label >= num_classes):
        end = 'up' if num_classes is None else f'to {num_classes - 1}'
        raise ValueError(
            f'{path}, line {line.number}: {name!r} has the label {label}; labels go from 0 {end}'
        )


def unquote(text: str) -> str:
    """The text without the quotes that spreadsheets put around it."""
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in '"\'':
        return text[1:-1].replace(text[0] * 2, text[0]).strip()
    return text


def loose_name(name: str) -> str:
    """A name without what tools change in it.

    These are upper and lower case, composed and decomposed letters, backslashes, ``./`` in front,
    ``/`` behind, spaces around the parts, spaces for underscores, and an image's extension.
    """
    name = unicodedata.normalize('NFC', unquote(name)).casefold().replace('\\', '/')
    name = re.sub(r'\s+', '_', '/'.join(part.strip() for part in name.split('/')))
    name = name.removeprefix('./').strip('/')
    return name.rpartition('.')[0] if is_image_name(name) else name


class NameIndex:
    """Names to look up: as they are written, else as :func:`loose_name` has them.

    Args:
        names: All of them.
        lost_zeros: Whether a name is also found without the zeros in front of it, which
            spreadsheets remove from numbers: ``513`` for ``0000513``.
    """

    def __init__(self, names: Iterable[str], lost_zeros: bool = False) -> None:
        self.names = list(names)
        self._exact = {name: number for number, name in enumerate(self.names)}
        self._loose: dict[str, list[int]] | None = None
        self._lost_zeros = lost_zeros
        self.loosely = 0
        """How many look-ups found a name that is written in another way."""

    def __contains__(self, name: str) -> bool:
        """Whether a name is there as it is written."""
        return name in self._exact

    def find(self, name: str) -> int | None:
        """The number of a name, or None if there is none.

        Raises:
            ValueError: Several names differ from it only in what tools change.
        """
        if name in self._exact:
            return self._exact[name]
        found = self._find_loosely(loose_name(name))
        if len(found) > 1:
            raise ValueError(
                f'{name!r} could be any of {[self.names[number] for number in found][:3]}: write '
                'it as it is there'
            )
        self.loosely += len(found)
        return found[0] if found else None

    def _find_loosely(self, name: str) -> list[int]:
        if self._loose is None:
            self._loose = defaultdict(list)
            for number, known in enumerate(self.names):
                key = loose_name(known)
                self._loose[key].append(number)
                if self._lost_zeros and key.lstrip('0') not in (key, ''):
                    self._loose[key.lstrip('0')].append(number)
        return self._loose.get(name, [])


def check_matches(
    path: str | Path,
    found: int,
    unknown: Sequence[Line],
    least: float,
    what: str,
    known: Sequence[str],
) -> None:
    """A list fits the data that it is for: enough of its entries are in them.

    Args:
        path: The list.
        found: How many entries are in the data.
        unknown: The lines of the others.
        least: The share that must be found, in [0, 1]. None found is always an error.
        what: What the entries name: ``identities``, ``images``.
        known: The names in the data, for the error.

    Raises:
        ValueError: Fewer entries are found; the message names file and line. If some are not
            found, but not too many, a warning counts them.

    When:
        A data set with a list is built, or a converter starts.
    """
    total = found + len(unknown)
    if total == 0:
        raise ValueError(f'{path} names none of the {len(known)} {what}: it has no entry')
    examples = ', '.join(f'line {line.number}: {line.text!r}' for line in unknown[:3])
    if found == 0 or found < least * total:
        raise ValueError(
            f'{path} names {"none" if found == 0 else f"only {found}"} of the {len(known)} {what}, '
            f'which are called {list(known[:3])} and so on; {len(unknown)} of its {total} entries '
            f'are not there, such as {examples}: expected one a line, and a share of {least:.2f} '
            'of them or more in the data'
        )
    if unknown:
        print_log(
            f'{path}: {len(unknown)} of {total} {what} are not in the data, such as '
            f'{[line.text for line in unknown[:3]]} (line {unknown[0].number})',
            logger='current',
            level=logging.WARNING,
        )
