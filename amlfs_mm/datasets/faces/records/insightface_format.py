"""The files of insightface's training sets: ``train.rec``, ``train.idx`` and ``property``.

Sources: mxnet, python/mxnet/recordio.py (the header of a record, the index); insightface,
face2rec2.py and rec_builder.py (what is in them; an image's first label is its class).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

HEADER = struct.Struct('<IfQQ')
"""Number of labels behind the header (0: the one in it), label, and two numbers not used here."""
LABEL_BYTES = HEADER.size + 4
"""Of a record's start: its first label is in them."""
FILES = ('train.rec', 'train.idx', 'property')
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
    """The same of ``LABEL_BYTES``, or of all if there are fewer: the first label."""
    if len(data) == LABEL_BYTES and HEADER.unpack_from(data)[0] > 0:
        return struct.unpack_from('<f', data, HEADER.size)[0]
    return parse_record(data, name).labels[0]


def read_property(path: Path) -> tuple[int, tuple[int, int]]:
    """The number of classes and the images' (height, width) from the first line.

    Raises:
        ValueError: It is not ``<classes>,<height>,<width>``.
    """
    line = path.read_text().split('\n', 1)[0].strip()
    try:
        num_classes, height, width = (int(number) for number in line.split(','))
    except ValueError:
        num_classes = 0
    if num_classes < 1:
        raise ValueError(f'{path} says {line!r}, expected <classes>,<height>,<width>')
    return num_classes, (height, width)


def read_index(path: Path, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Keys, ascending, and the byte offsets of their records; from lines ``key<TAB>offset``.

    Args:
        path: The ``.idx`` file.
        size: Bytes of the record file.

    Raises:
        ValueError: It has no lines of that kind, a key twice, or an offset past the file's end.
    """
    try:  # one pass in C: there may be millions of lines
        numbers = np.fromstring(path.read_text(), dtype=np.int64, sep=' ')
    except ValueError:
        numbers = np.empty(0)
    if len(numbers) == 0 or len(numbers) % 2:
        raise ValueError(f'{path} is damaged or empty: expected lines of a key and a byte offset')
    keys, offsets = numbers.reshape(-1, 2).T
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
