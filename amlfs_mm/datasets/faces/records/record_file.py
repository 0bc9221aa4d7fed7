"""RecordIO, the container of insightface's training sets, read and written without mxnet.

A record is one part, or several. Where its data hold the magic number at a multiple of 4 bytes, the
data are cut in two and the number is left out. All numbers are little-endian. A part is::

    uint32 magic | uint32 kind << 29 | length | data | zeros up to a multiple of 4 bytes

with kind 0 for a whole record and 1, 2, 3 for the first, the middle ones and the last of several.
Source: dmlc-core, include/dmlc/recordio.h and src/recordio.cc.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

MAGIC = 0xCED7230A
MAGIC_BYTES = struct.pack('<I', MAGIC)
PART = struct.Struct('<II')
MAX_LENGTH = (1 << 29) - 1
WHOLE, FIRST, MIDDLE, LAST = range(4)


class RecordFile:
    """Records of a file by their byte offsets.

    It reads with ``pread``, which uses no file position. So loader workers can share the open file
    with the process that they were forked from. Spawned workers open the file themselves.

    Args:
        path: The ``.rec`` file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file = None

    def read(self, offset: int) -> bytes:
        """The data of the record that starts at a byte offset.

        Raises:
            ValueError: No record starts there, or the file ends within it.
        """
        parts = []
        while True:
            kind, length = self._read_part_header(offset)
            if kind not in ((MIDDLE, LAST) if parts else (WHOLE, FIRST)):
                raise ValueError(
                    f'{self.path} is damaged: the part at byte {offset} has kind {kind}, which '
                    f'cannot {"continue" if parts else "start"} a record'
                )
            parts.append(self._read_bytes(offset + PART.size, length))
            if kind in (WHOLE, LAST):
                return MAGIC_BYTES.join(parts)
            offset += PART.size + length + -length % 4

    def read_start(self, offset: int, size: int) -> bytes:
        """The first ``size`` bytes of the record at a byte offset, or all if it is shorter.

        Raises:
            ValueError: As in :meth:`read`.
        """
        kind, length = self._read_part_header(offset)
        if kind == WHOLE:
            return self._read_bytes(offset + PART.size, min(size, length))
        return self.read(offset)[:size]

    def _read_part_header(self, offset: int) -> tuple[int, int]:
        magic, kind_and_length = PART.unpack(self._read_bytes(offset, PART.size))
        if magic != MAGIC:
            raise ValueError(
                f'{self.path}: no record starts at byte {offset}, there is {magic:#010x} and not '
                f'{MAGIC:#010x}: the index is that of another file, or the file is damaged'
            )
        return kind_and_length >> 29, kind_and_length & MAX_LENGTH

    def _read_bytes(self, offset: int, size: int) -> bytes:
        if self._file is None:
            self._file = open(self.path, 'rb', buffering=0)  # noqa: SIM115 - kept for the next read
        data = os.pread(self._file.fileno(), size, offset)
        while 0 < len(data) < size:  # a network file system may give less at a time
            more = os.pread(self._file.fileno(), size - len(data), offset + len(data))
            if not more:
                break
            data += more
        if len(data) < size:
            raise ValueError(
                f'{self.path} is cut short: bytes {offset} to {offset + size} are part of a '
                f'record, but the file ends at {self.path.stat().st_size}: copy it anew'
            )
        return data

    def __getstate__(self) -> dict:
        return dict(self.__dict__, _file=None)


def encode_record(data: bytes) -> bytes:
    """The bytes of a record that holds the data.

    Raises:
        ValueError: They are longer than a record can be (2^29 - 1 bytes).
    """
    if len(data) > MAX_LENGTH:
        raise ValueError(f'a record holds {MAX_LENGTH} bytes at most, got {len(data)}')
    parts = list(_split_at_magic(data))
    record = b''
    for number, part in enumerate(parts):
        kind = WHOLE
        if len(parts) > 1:
            kind = FIRST if number == 0 else LAST if number == len(parts) - 1 else MIDDLE
        record += PART.pack(MAGIC, kind << 29 | len(part)) + part + b'\0' * (-len(part) % 4)
    return record


def _split_at_magic(data: bytes) -> Iterator[bytes]:
    start, found = 0, data.find(MAGIC_BYTES)
    while found >= 0:
        if found % 4 == 0:
            yield data[start:found]
            start = found + len(MAGIC_BYTES)
        found = data.find(MAGIC_BYTES, max(found + 1, start))
    yield data[start:]
