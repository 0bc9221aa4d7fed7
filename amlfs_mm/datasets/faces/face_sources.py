"""Face training sets as people have them: a folder an identity, or insightface's record files."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from amlfs_mm.utils.image_names import IMAGE_EXTENSIONS
from amlfs_mm.utils.paths import user_path
from amlfs_mm.utils.text_lists import NameIndex, check_matches, read_lines, unquote

from ..image_files import list_image_folders, log_left_out, log_similar_names
from .records.insightface_format import FILES
from .records.insightface_record import InsightFaceRecord

FIELD_END = re.compile(r'[\t,;]')
LEAST_MATCHED = 1 / 3
"""The share of a list's identities that must be in the data: a list of which fewer are is another
data set's, or has the names in another form."""


class FaceFolder:
    """Images in ``<root>/<identity>/``, both in the order of their sorted names.

    Images may also be in folders below an identity's folder. Hidden files and folders are ignored;
    other files that are no images are left out, and counted in the log.

    Raises:
        FileNotFoundError: There is no such folder, or no image in a folder of it.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = user_path(root)
        expected = f'expected {self.root / "<identity>" / "<image>.jpg"}, or {", ".join(FILES)}'
        if not self.root.is_dir():
            raise FileNotFoundError(
                f'there is no folder {str(self.root)!r}: {expected}. Set data_root in the config '
                'to the folder that holds the identities, or the record files'
            )
        self.names, images, left_out = list_image_folders(self.root)
        log_left_out(self.root, left_out)
        log_similar_names(self.root, self.names)
        if not any(images):
            raise FileNotFoundError(
                f'{self.root} holds no identity with images: {expected}; images end in '
                f'{", ".join(IMAGE_EXTENSIONS)}'
            )
        # Arrays, not lists: loader workers share their memory, and there may be millions.
        self._paths = np.array(
            [
                os.fsencode(f'{name}/{path}')
                for name, paths in zip(self.names, images, strict=True)
                for path in paths
            ]
        )
        self.identities = np.repeat(np.arange(len(self.names)), [len(paths) for paths in images])

    def path(self, image: int) -> str:
        """Where an image is."""
        return str(self.root / os.fsdecode(self._paths[image]))

    def read(self, image: int) -> bytes:
        """An image's bytes, encoded."""
        return Path(self.path(image)).read_bytes()


class FaceRecord:
    """The images of insightface's record files; an identity's name is its label.

    Raises:
        FileNotFoundError, ValueError: As in :class:`.InsightFaceRecord`.
    """

    def __init__(self, root: str | Path) -> None:
        self._record = InsightFaceRecord(root)
        self.root = self._record.root
        self.names = [str(label) for label in range(self._record.num_classes)]
        self.identities = self._record.labels

    def path(self, image: int) -> str:
        """The record file, and the key that the image has in it."""
        return self._record.name(image)

    def read(self, image: int) -> bytes:
        """An image's bytes, encoded.

        Raises:
            ValueError: Its label is not that of its identity.
        """
        content, label = self._record.read(image)
        if label != self.identities[image]:
            raise ValueError(
                f'{self.path(image)} has the label {label}, but is one of the images of label '
                f'{self.identities[image]}: the file is damaged'
            )
        return content


FaceSource = FaceFolder | FaceRecord
"""Both have ``names`` of the identities; ``identities`` (N,), for each image the number of its
identity in ``names``; ``path(image)``, which names an image; ``read(image)``, its encoded bytes."""


def load_faces(root: str | Path) -> FaceSource:
    """The images in a folder: record files if it holds ``train.rec``, else a folder an identity.

    Raises:
        FileNotFoundError, ValueError: As in :class:`FaceFolder` or :class:`.InsightFaceRecord`.
    """
    root = user_path(root)
    return FaceRecord(root) if (root / FILES[0]).is_file() else FaceFolder(root)


def select_identities(
    names: Sequence[str],
    exclude: Sequence[str | Path] = (),
    keep: str | Path | None = None,
    least_matched: float = LEAST_MATCHED,
) -> np.ndarray:
    """Which identities remain, (len(names),) bool.

    A list is a text file with the name of one identity a line: that of its folder
    (``0000513``), or its label in record files (``513``, without zeros in front: lists of
    CASIA-WebFace's folders do not fit its record files). Blank lines and those that start with #
    do not count; of a line with commas or tabs the first field counts. Such lists are published
    with CASIA-WebFace's identities that are also in LFW (17) and in MegaFace's probes (42), and
    CASIA-WebFace-R, a list to keep (9,809).

    A name is looked up as it is written, then without regard to case, and for folders to zeros
    in front that a spreadsheet removed. A list may name identities that the data lack, as copies of
    one data set differ: a warning counts them.

    Args:
        names: Of all identities.
        exclude: Lists of identities to leave out.
        keep: A list of those to keep, before ``exclude``.
        least_matched: The share of a list's identities that must be in the data, in [0, 1].

    Raises:
        FileNotFoundError: There is no such list.
        ValueError: Fewer of a list's identities are in the data, a name could be that of several,
            or nobody remains. The message names the list and the line.
    """
    if not 0 <= least_matched <= 1:
        raise ValueError(f'least_matched is a share in [0, 1], got {least_matched}')
    index = NameIndex(names, lost_zeros=True)
    remaining = np.full(len(names), keep is None)
    if keep is not None:
        remaining[find_identities(index, keep, least_matched)] = True
    for path in exclude:
        remaining[find_identities(index, path, least_matched)] = False
    if not remaining.any():
        raise ValueError(
            f'of {len(names)} identities none remains: keep={str(keep)!r}, '
            f'exclude={[str(path) for path in exclude]}'
        )
    return remaining


def find_identities(index: NameIndex, path: str | Path, least_matched: float) -> list[int]:
    """The numbers of a list's identities (see :func:`select_identities`)."""
    found, unknown, before = [], [], index.loosely
    for line in read_lines(path, comments=True):
        try:
            number = index.find(unquote(line.text))
            if number is None:
                number = index.find(unquote(FIELD_END.split(line.text, maxsplit=1)[0]))
        except ValueError as error:
            raise ValueError(f'{path}, line {line.number}: {error}') from None
        if number is None:
            unknown.append(line)
        else:
            found.append(number)
    check_matches(path, len(found), unknown, least_matched, 'identities', index.names)
    if index.loosely > before:
        print_log(
            f'{path}: {index.loosely - before} identities have names that differ from the list in '
            'case, spaces or zeros in front',
            logger='current',
        )
    return found
