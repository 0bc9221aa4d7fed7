"""Face training sets from folders to insightface's record files and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from amlfs_mm.utils.atomic_files import atomic_folder
from amlfs_mm.utils.paths import user_path

from ...image_bytes import decode_image, extension_of
from ..face_sources import LEAST_MATCHED, FaceFolder, select_identities
from ..records.insightface_record import InsightFaceRecord
from ..records.insightface_record_writer import write_insightface_record


def folder_to_record(
    folder: str | Path,
    root: str | Path,
    exclude: Sequence[str | Path] = (),
    keep: str | Path | None = None,
    least_matched: float = LEAST_MATCHED,
) -> tuple[int, int]:
    """Write the images of a folder an identity as record files, byte for byte.

    Labels are the numbers of the sorted names of those that remain.

    Args:
        folder: With the identities' folders.
        root: A folder for the record files, which must not be there yet.
        exclude, keep, least_matched: As in :func:`.face_sources.select_identities`.

    Returns:
        The numbers of identities and images.

    Raises:
        FileExistsError: ``root`` is there already.
        FileNotFoundError: There are no such images.
        OSError: One cannot be decoded.
        ValueError: They are of different sizes, or a list does not fit.
    """
    faces = FaceFolder(folder)
    remaining = select_identities(faces.names, exclude, keep, least_matched)
    images = np.flatnonzero(remaining[faces.identities])
    _, first = np.unique(faces.identities[images], return_index=True)
    images_of = np.split(images, first[1:])
    model = faces.path(images[0])
    size = image_size(faces.read(images[0]), model)

    def read(image: int) -> bytes:
        content = faces.read(image)
        found = image_size(content, faces.path(image))
        if found != size:
            raise ValueError(
                f'{faces.path(image)} is {found[0]} x {found[1]} (H x W), but {model} is '
                f'{size[0]} x {size[1]}: align the images first (tools/converters/align_faces.py)'
            )
        return content

    with atomic_folder(user_path(root)) as part:
        identities = ((read(image) for image in images) for images in images_of)
        count = write_insightface_record(part, identities, size)
    return len(images_of), count


def record_to_folder(root: str | Path, folder: str | Path) -> tuple[int, int]:
    """Write the images of record files into ``<folder>/<label>/<number>``, byte for byte.

    Labels have 7 digits, so that their sorted names are in their order.

    Args:
        root: With the record files.
        folder: For the images; it must not be there yet.

    Returns:
        The numbers of identities and images.

    Raises:
        FileExistsError: ``folder`` is there already.
        FileNotFoundError, ValueError, OSError: As in :class:`.InsightFaceRecord`.
    """
    record = InsightFaceRecord(root)
    people = set()
    with atomic_folder(user_path(folder)) as part:
        for index in range(len(record)):
            content, label = record.read(index)
            decode_image(content, record.name(index))
            people.add(label)
            end = extension_of(content, record.name(index))
            path = part / f'{label:07d}' / f'{index:08d}{end}'
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
    return len(people), len(record)


def image_size(content: bytes, name: str) -> tuple[int, int]:
    """(H, W) of an encoded image, which is decoded: a damaged one must not be passed on."""
    return decode_image(content, name).shape[:2]
