"""Reading insightface's training sets, without mxnet.

If the record of key 0 has labels and no image, it says what the other keys are. Its labels (a, b)
mean that keys 1 to a - 1 are images, and that keys a to b - 1 are records of identities. The record
of an identity has no image; its labels (c, d) mean that its images have the keys c to d - 1. If the
record of key 0 is an image, every key is one. Source: insightface, face2rec2.py, rec_builder.py and
image_iter.py.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from amlfs_mm.utils.paths import user_path

from ...image_bytes import decode_image
from .insightface_format import (
    EXACT,
    FILES,
    LABEL_BYTES,
    Record,
    parse_first_label,
    parse_record,
    read_index,
    read_property,
)
from .record_file import RecordFile


class InsightFaceRecord:
    """The images and classes of a training set in insightface's format.

    A sequence: item i is ``(image (H, W, 3) uint8 RGB, label)``, in the order of the keys. It works
    with any number of forked or spawned loader workers.

    Args:
        root: The folder that holds ``train.rec``, ``train.idx`` and ``property``.

    Raises:
        FileNotFoundError: One of them is missing.
        ValueError: One of them is damaged, or they do not belong together. When an item is read:
            the file is cut short, or has no record in that place.
        OSError: When an item is read: the record holds no image.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = user_path(root)
        missing = [name for name in FILES if not (self.root / name).is_file()]
        if missing:
            raise FileNotFoundError(
                f'{self.root} lacks {missing}: a training set of insightface is a folder with '
                f'{", ".join(FILES)}'
            )
        self.num_classes, self.image_size = read_property(self.root / 'property')
        """``image_size`` is (H, W)."""
        self._records = RecordFile(self.root / 'train.rec')
        self._keys, self._offsets = read_index(
            self.root / 'train.idx', self._records.path.stat().st_size
        )
        self._select_images()

    def __len__(self) -> int:
        return len(self._image_keys)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        content, label = self.read(index)
        return decode_image(content, self.name(index), channel_order='rgb'), label

    def read(self, index: int) -> tuple[bytes, int]:
        """An image as it is in the file, encoded, and its label."""
        record = self._read_key(self._key(index))
        if not record.content:
            raise ValueError(f'{self.name(index)} holds no image: train.idx does not fit train.rec')
        return record.content, self._check_label(record.labels[0], index)

    def name(self, index: int) -> str:
        """An image's name in messages: the record file and the key."""
        return f'{self._records.path}#{self._key(index)}'

    @cached_property
    def labels(self) -> np.ndarray:
        """Every image's label (N,) int64.

        They are read from the identities' records if there are some: that takes two short reads an
        identity instead of one an image.
        """
        labels = np.full(len(self), -1)
        for key in self._people:
            start, stop = (number - 1 for number in self._read_keys(key))
            if not 0 <= start <= stop <= len(self):
                raise ValueError(
                    f'{self._records.path}#{key} says that an identity has the images of keys '
                    f'{start + 1} to {stop}, but there are {len(self)} images: the file is damaged'
                )
            if start < stop:
                labels[start:stop] = self._read_label(start)
        for index in np.flatnonzero(labels < 0):
            labels[index] = self._read_label(index)
        return labels

    def _select_images(self) -> None:
        """Find out which keys are images (see above), and which identities."""
        self._image_keys, self._people = self._keys, range(0)
        if self._keys[0] != 0 or not self._has_no_image(0):
            return
        start, stop = self._read_keys(0)
        # insightface's files may have more images than float32 can count, so that ``start`` is
        # rounded: look at the keys near it.
        nearby = self._keys[(abs(self._keys - start) <= 4) & (self._keys > 0)]
        start = next((int(key) for key in nearby if self._has_no_image(key)), start)
        if stop < EXACT:
            self._people = range(start, stop)
        self._image_keys = self._keys[1:start]
        if len(self._image_keys) != start - 1 or self._image_keys[-1:].tolist() != [start - 1]:
            raise ValueError(
                f'{self._records.path} says that its images have the keys 1 to {start - 1}, but '
                f'{self.root / "train.idx"} does not list all of them: copy it anew'
            )

    def _has_no_image(self, key: int) -> bool:
        record = self._read_key(key)
        return not record.content and len(record.labels) > 1

    def _read_keys(self, key: int) -> tuple[int, int]:
        """The keys (a, b) in the labels of a record without an image."""
        labels = self._read_key(key).labels
        if len(labels) < 2 or not np.isfinite(labels).all():
            raise ValueError(
                f'{self._records.path}#{key} should say which keys are images of an identity, but '
                f'has the labels {labels.tolist()}: the file is damaged'
            )
        return int(labels[0]), int(labels[1])

    def _read_label(self, index: int) -> int:
        start = self._records.read_start(self._offset(self._key(index)), LABEL_BYTES)
        return self._check_label(parse_first_label(start, self.name(index)), index)

    def _check_label(self, label: float, index: int) -> int:
        if not 0 <= label < self.num_classes or label != int(label):
            raise ValueError(
                f'{self.name(index)} has the label {label}, but {self.root / "property"} says '
                f'{self.num_classes} classes, from 0'
            )
        return int(label)

    def _read_key(self, key: int) -> Record:
        return parse_record(self._records.read(self._offset(key)), f'{self._records.path}#{key}')

    def _offset(self, key: int) -> int:
        place = np.searchsorted(self._keys, key)
        if place == len(self._keys) or self._keys[place] != key:
            raise ValueError(f'{self.root / "train.idx"} does not list key {key}: copy it anew')
        return int(self._offsets[place])

    def _key(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexError(f'{self.root} has {len(self)} images, there is no image {index}')
        return int(self._image_keys[index])
