"""Writing training sets in insightface's format, for insightface's own code and for ours."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from amlfs_mm.utils.paths import user_path

from .insightface_format import EXACT, HEADER
from .record_file import encode_record


def write_insightface_record(
    root: str | Path, identities: Iterable[Iterable[bytes]], image_size: tuple[int, int]
) -> int:
    """Write ``train.rec``, ``train.idx`` and ``property`` into a folder that exists.

    Images have the keys 1, 2, ... and their identity's number as their only label. A record for
    each identity follows, and the record of key 0 comes last (see :mod:`.insightface_record`).

    Args:
        root: The folder.
        identities: Each identity's images, encoded, in the order of their labels from 0.
        image_size: (H, W) of all images.

    Returns:
        The number of images.

    Raises:
        ValueError: There are more images than the format can count.
    """
    root = user_path(root)
    ranges = []
    key = 1
    with ExitStack() as stack:
        records = stack.enter_context(open(root / 'train.rec', 'wb'))
        index = stack.enter_context(open(root / 'train.idx', 'w'))

        def write(key: int, header: bytes, content: bytes = b'') -> None:
            index.write(f'{key}\t{records.tell()}\n')
            records.write(encode_record(header + content))

        for label, images in enumerate(identities):
            first = key
            for image in images:
                write(key, HEADER.pack(0, label, key, 0), image)
                key += 1
            ranges.append((first, key))
        last = key + len(ranges)
        if last >= EXACT:
            raise ValueError(
                f'{key - 1} images of {len(ranges)} identities: the format counts them in float32, '
                f'up to {EXACT - 1} together; write several sets'
            )
        for number, images in enumerate(ranges, start=key):
            write(number, pack_labels(images, number))
        write(0, pack_labels((key, last), 0))
    height, width = image_size
    (root / 'property').write_text(f'{len(ranges)},{height},{width}\n')
    return key - 1


def pack_labels(labels: Sequence[int], key: int) -> bytes:
    """The header of a record with several labels, and these."""
    return HEADER.pack(len(labels), 0, key, 0) + struct.pack(f'<{len(labels)}f', *labels)
