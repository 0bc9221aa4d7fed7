"""Aligning a face by five landmarks: left eye, right eye, nose, left and right corner of the mouth.

Left and right are those of the picture. The template is insightface's for 112 x 112 (H x W),
``utils.face_align.arcface_dst``. For 112 x 96, SphereFace's size, x is 8 pixels smaller (Liu et
al., CVPR 2017, preprocess/code/face_align_demo.m): the face is that of 112 x 112 without 8 columns
on each side.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import mmcv
import numpy as np
from mmengine.utils import track_iter_progress

from amlfs_mm.utils.atomic_files import atomic_folder
from amlfs_mm.utils.optional_imports import import_insightface
from amlfs_mm.utils.paths import user_path

from ...image_bytes import decode_image
from ..face_sources import FaceFolder
from .face_landmarks import LandmarkList

SIZES = ((112, 112), (112, 96))  # (H, W)


def align_face(
    image: np.ndarray, landmarks: np.ndarray, size: tuple[int, int] = (112, 112)
) -> np.ndarray:
    """The face, rotated, scaled and shifted so that its landmarks fit the template best.

    Pixels outside the image are black. This is insightface's ``norm_crop``, which models that
    insightface runs expect.

    Args:
        image: (H, W, 3) uint8.
        landmarks: (5, 2), x and y in pixels.
        size: (112, 112) or (112, 96).

    Raises:
        ImportError: insightface is not installed.
        ValueError: Another size, or landmarks that fix no similarity.
    """
    if tuple(size) not in SIZES:
        raise ValueError(f'size must be one of {SIZES}, (H, W), got {size}')
    landmarks = np.asarray(landmarks, dtype=np.float32)
    if (
        landmarks.shape != (5, 2)
        or not np.isfinite(landmarks).all()
        or not np.ptp(landmarks, axis=0).any()
    ):
        raise ValueError(
            f'expected five different landmarks, x and y each, got {landmarks.tolist()}'
        )
    face_align = import_insightface('utils.face_align')
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', '`estimate` is deprecated')  # insightface 2.1 calls it
        crop = face_align.norm_crop(image, landmarks, image_size=112)
    margin = (112 - size[1]) // 2
    return crop[:, margin : 112 - margin]


def align_folder(
    source: str | Path,
    target: str | Path,
    find_landmarks: Callable[[str, np.ndarray], np.ndarray],
    size: tuple[int, int] = (112, 112),
) -> tuple[int, list[str]]:
    """Cut and align the faces of all photos, and write them as PNG to another folder.

    Photos that cannot be decoded or have no landmarks are left out; ``skipped.txt`` says why.

    Args:
        source: The folder with ``<identity>/<photo>``.
        target: It must not be there yet.
        find_landmarks: From a photo's path below ``source`` and its BGR image to the landmarks
            (5, 2); it raises LookupError where there are none.
        size: As in :func:`align_face`.

    Returns:
        How many faces there are, and the lines of ``skipped.txt``.

    Raises:
        FileExistsError: ``target`` is there already.
        ValueError: Landmarks are no face's, two photos have one name, no photo has a face, or a
            list of landmarks is for other photos.
    """
    photos = FaceFolder(source)
    skipped = []
    if isinstance(find_landmarks, LandmarkList):
        paths = (Path(photos.path(number)) for number in range(len(photos.identities)))
        find_landmarks.check([path.relative_to(photos.root).as_posix() for path in paths])
    with atomic_folder(user_path(target)) as part:
        for number in track_iter_progress(range(len(photos.identities))):
            path = Path(photos.path(number))
            name = path.relative_to(photos.root)
            face = part / name.with_suffix('.png')
            if face.exists():
                raise ValueError(f'{path} and another one would both be {face.name}: rename it')
            try:
                photo = decode_image(photos.read(number), str(path))
                landmarks = find_landmarks(name.as_posix(), photo)
            except (OSError, LookupError) as error:
                skipped.append(f'{name}\t{error}')
                continue
            try:
                mmcv.imwrite(align_face(photo, landmarks, size), str(face))
            except ValueError as error:
                raise ValueError(f'{path}: {error}') from error
        aligned = len(photos.identities) - len(skipped)
        if aligned == 0:
            raise ValueError(f'no photo of {source} could be aligned: {skipped[0]}')
        (part / 'skipped.txt').write_text(''.join(f'{line}\n' for line in skipped))
    return aligned, skipped
