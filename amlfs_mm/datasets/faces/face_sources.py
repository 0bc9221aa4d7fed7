"""Face training sets as people have them: a folder an identity, or insightface's record files."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.logging import print_log
from mmpretrain.datasets.custom import find_folders, get_samples

from .records.insightface_format import FILES
from .records.insightface_record import InsightFaceRecord

EXTENSIONS = ('.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif')
"""Those of mmpretrain's ``CustomDataset``."""


class FaceFolder:
    """Images in ``<root>/<identity>/``, both in the order of their sorted names.

    Raises:
        FileNotFoundError: There is no such folder, or no image in a folder of it.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        expected = f'expected {self.root / "<identity>" / "<image>.jpg"}, or {", ".join(FILES)}'
        if not self.root.is_dir():
            raise FileNotFoundError(
                f'there is no folder {str(self.root)!r}: {expected}. Set data_root in the config '
                'to the folder that holds the identities, or the record files'
            )
        self.names, numbers = find_folders(str(self.root))
        samples, _ = get_samples(str(self.root), numbers, is_image)
        if not samples:
            raise FileNotFoundError(f'{self.root} holds no identity with images: {expected}')
        paths, identities = zip(*samples, strict=True)
        # Arrays, not lists: loader workers share their memory, and there may be millions.
        self._paths = np.array([os.fsencode(path) for path in paths])
        self.identities = np.array(identities)

    def path(self, image: int) -> str:
        return str(self.root / os.fsdecode(self._paths[image]))

    def read(self, image: int) -> bytes:
        return Path(self.path(image)).read_bytes()


class FaceRecord:
    """The same of record files; an identity's name is its label."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self._record = InsightFaceRecord(root)
        self.names = [str(label) for label in range(self._record.num_classes)]
        self.identities = self._record.labels

    def path(self, image: int) -> str:
        return self._record.name(image)

    def read(self, image: int) -> bytes:
        content, label = self._record.read(image)
        if label != self.identities[image]:
            raise ValueError(
                f'{self.path(image)} has the label {label}, but is one of the images of label '
                f'{self.identities[image]}: the file is damaged'
            )
        return content


FaceSource = FaceFolder | FaceRecord
"""What both have: ``names`` of the identities; ``identities`` (N,), each image's number in these;
``path(image)``, which names one, and ``read(image)``, its bytes, encoded."""


def load_faces(root: str | Path) -> FaceSource:
    """The images in a folder: record files if it holds ``train.rec``, else a folder an identity."""
    return FaceRecord(root) if (Path(root) / FILES[0]).is_file() else FaceFolder(root)


def is_image(path: str) -> bool:
    return path.lower().endswith(EXTENSIONS)


def select_identities(
    names: Sequence[str], exclude: Sequence[str | Path] = (), keep: str | Path | None = None
) -> np.ndarray:
    """Which identities remain, (len(names),) bool.

    A list is a text file with the name of one identity a line: that of its folder
    (``0000513``), or its label in record files (``513``, without zeros in front: lists of
    CASIA-WebFace's folders do not fit its record files). Empty lines and those that start with #
    do not count. Such are the published lists of CASIA-WebFace's identities that are also in LFW
    (17) and in MegaFace's probes (42), and CASIA-WebFace-R, a list to keep (9,809).

    A list may name identities that the data lack, as copies of one data set differ: a warning
    counts them.

    Args:
        names: Of all identities.
        exclude: Lists of identities to leave out.
        keep: A list of those to keep, before ``exclude``.

    Raises:
        FileNotFoundError: There is no such list.
        ValueError: A list names nobody who is in the data, or nobody remains.
    """
    number = {name: i for i, name in enumerate(names)}
    remaining = np.full(len(names), keep is None)
    if keep is not None:
        remaining[find_identities(number, keep)] = True
    for path in exclude:
        remaining[find_identities(number, path)] = False
    if not remaining.any():
        raise ValueError(
            f'of {len(names)} identities none remains: keep={str(keep)!r}, '
            f'exclude={[str(path) for path in exclude]}'
        )
    return remaining


def find_identities(number: dict[str, int], path: str | Path) -> list[int]:
    """The numbers of a list's identities (see :func:`select_identities`)."""
    lines = (line.strip() for line in Path(path).read_text().splitlines())
    listed = [line for line in lines if line and not line.startswith('#')]
    unknown = [name for name in listed if name not in number]
    if len(unknown) == len(listed):
        raise ValueError(
            f'{path} names none of the {len(number)} identities, which are called '
            f'{list(number)[:3]} and so on; it has {listed[:3]}: expected one a line'
        )
    if unknown:
        print_log(
            f'{path}: {len(unknown)} of {len(listed)} identities are not in the data, such as '
            f'{unknown[:3]}',
            logger='current',
            level=logging.WARNING,
        )
    return [number[name] for name in listed if name in number]
