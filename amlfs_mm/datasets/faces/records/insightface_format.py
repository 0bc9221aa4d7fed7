"""The files of insightface's training sets: ``train.rec``, ``train.idx`` and ``property``.

Sources: mxnet, python/mxnet/recordio.py (the header of a record, the index); insightface,
face2rec2.py and rec_builder.py (what is in them; an image's first label is its class).
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

from amlfs_mm.utils.text_lists import Line, read_lines, unquote, whole_number

HEADER = struct.Struct('<IfQQ')
"""Number of labels behind the header (0: the one in it), label, and two numbers not used here."""
LABEL_BYTES = HEADER.size + 4
"""So many bytes from a record's start hold its first label."""
FILES = ('train.rec', 'train.idx', 'property')
EMPTY_OR_LONG_FIELD = re.compile(rb'^[\t\n]|[\t\n][\t\n]|\t$|[0-9]{19}')
EXACT = 1 << 24
"""Labels are float32, which above this cannot hold every whole number."""


class Record(NamedTuple):
    """What a key holds."""

    labels: np.ndarray
    content: bytes
    """An encoded image, or nothing."""


def parse_record(data: bytes, name: str) -> Record:
    """A record's labels and content.

    Args:
        data: As the record file has them.
        name: Of the record, for the error.

    Raises:
        ValueError: They are too short for their labels.
    """
    if len(data) >= HEADER.size:
        count, label, _, _ = HEADER.unpack_from(data)
        start = HEADER.size + 4 * count
        if count == 0:
            return Record(np.array([label]), data[start:])
        if len(data) >= start:
            return Record(np.frombuffer(data, '<f4', count, HEADER.size), data[start:])
    raise ValueError(
        f'{name} is no record of insightface: {len(data)} bytes cannot hold its header and labels'
    )


def parse_first_label(data: bytes, name: str) -> float:
    """The first label of a record.

    Args:
        data: Its first ``LABEL_BYTES`` bytes, or all if there are fewer.
        name: Of the record, for the error.

    Raises:
        ValueError: They are too short for its labels.
    """
    if len(data) == LABEL_BYTES and HEADER.unpack_from(data)[0] > 0:
        return struct.unpack_from('<f', data, HEADER.size)[0]
    return parse_record(data, name).labels[0]


def read_property(path: Path) -> tuple[int, tuple[int, int]]:
    """The number of classes and the images' (height, width) from the first line.

    Raises:
        ValueError: It is not ``<classes>,<height>,<width>``.
    """
    lines = read_lines(path)
    line = lines[0] if lines else Line(1, '')
    try:
        num_classes, height, width = (whole_number(unquote(n)) for n in line.text.split(','))
    except ValueError:
        num_classes = height = width = 0
    if min(num_classes, height, width) < 1:
        raise ValueError(
            f'{path}, line {line.number}: it says {line.text!r}, expected <classes>,<height>,'
            '<width>'
        )
    return num_classes, (height, width)


def read_index(path: Path, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Keys (N,), ascending, and the byte offsets (N,) of their records.

    Args:
        path: The ``.idx`` file, of lines ``key<TAB>offset``.
        size: Bytes of the record file.

    Raises:
        ValueError: A line is not of that kind, a key is there twice, or an offset is past the
            file's end; the message names the file, and the line or the key.
    """
    keys, offsets = parse_index(path).T
    order = np.argsort(keys, kind='stable')
    keys, offsets = keys[order], offsets[order]
    twice = keys[1:][keys[1:] == keys[:-1]]
    if len(twice):
        raise ValueError(f'{path} lists key {twice[0]} twice')
    past = np.flatnonzero((offsets < 0) | (offsets >= size))
    if len(past):
        raise ValueError(
            f'{path} has key {keys[past[0]]} at byte {offsets[past[0]]}, but the record file ends '
            f'at {size}: it is cut short or another one'
        )
    return keys, offsets


def parse_index(path: Path) -> np.ndarray:
    """The lines of an ``.idx`` file (N, 2), int64: key and byte offset."""
    content = path.read_bytes().replace(b'\r\n', b'\n').rstrip(b'\n')
    marks = np.frombuffer(content.translate(None, b'0123456789') + b'\n', np.uint8)
    if not (marks[::2] == ord('\t')).all() or not (marks[1::2] == ord('\n')).all():
        return parse_index_by_line(path)
    if EMPTY_OR_LONG_FIELD.search(content):
        return parse_index_by_line(path)
    # One pass in C: there may be millions of lines.
    return np.fromstring(content.decode('ascii'), dtype=np.int64, sep=' ').reshape(-1, 2)


def parse_index_by_line(path: Path) -> np.ndarray:
    """The same, for files that other tools have written: slower, and errors name the line."""
    rows = []
    for line in read_lines(path):
        fields = re.split(r'[\s,;]+', line.text.rstrip(' \t,;'))
        try:
            key, offset = (whole_number(unquote(field)) for field in fields)
        except ValueError:
            raise ValueError(
                f'{path}, line {line.number}: the file is damaged or empty, got {line.text!r}: '
                'expected lines of a key and a byte offset'
            ) from None
        rows.append((key, offset))
    if not rows:
        raise ValueError(f'{path} is damaged or empty: expected lines of a key and a byte offset')
    return np.array(rows, np.int64)
