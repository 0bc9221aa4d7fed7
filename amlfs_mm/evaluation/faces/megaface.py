"""The files of MegaFace's devkit, and insightface's lists of noise in them.

- A list is JSON: ``path``, image paths relative to a folder, and for probes ``id``, a person each.
- A feature is a file ``<folder>/<image path><suffix>``: four int32 (rows, columns, bytes a row,
  5 for float32: an OpenCV matrix), then the numbers, all little-endian.
- A list of noise (insightface's ``facescrub_noises.txt``, ``megaface_noises.txt``) is text: a line
  an image, by the last parts of its path, behind a tab or not; ``#`` opens a comment.
"""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from amlfs_mm.utils.paths import user_path
from amlfs_mm.utils.text_files import write_text
from amlfs_mm.utils.text_lists import read_lines, read_text, unquote

HEADER = struct.Struct('<4i')
CV_32F = 5


class FaceList(NamedTuple):
    """Image paths (N,) and, of probes, the person of each (N,)."""

    paths: list[str]
    ids: list | None = None


def read_list(path: str | Path) -> FaceList:
    """A list of images.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no such JSON, or has another number of identities than of paths, or names
            a probe twice.
    """
    try:
        content = json.loads(read_text(path))
        faces = FaceList(list(content['path']), content.get('id'))
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is no list of MegaFace's devkit (JSON with 'path', for probes 'id'): {error!r}"
        ) from error
    wrong = next((name for name in faces.paths if not isinstance(name, str)), None)
    if isinstance(content['path'], str) or wrong is not None:
        raise ValueError(
            f"{path}: 'path' must be a list of image paths, got "
            f'{content["path"] if wrong is None else wrong!r}'
        )
    if faces.ids is not None and len(faces.ids) != len(faces.paths):
        raise ValueError(f'{path} has {len(faces.paths)} paths, but {len(faces.ids)} identities')
    if faces.ids is not None and len(set(faces.paths)) < len(faces.paths):
        twice = Counter(faces.paths).most_common(1)[0][0]
        raise ValueError(
            f'{path} names {twice!r} twice: the two would be a perfect match. Leave one of them out'
        )
    return faces


def write_list(path: str | Path, faces: FaceList) -> None:
    """Write what :func:`read_list` reads."""
    content = dict(path=faces.paths) | ({} if faces.ids is None else dict(id=faces.ids))
    write_text(Path(path), json.dumps(content))


def read_feature(path: str | Path) -> np.ndarray:
    """A feature (D,), float32.

    Raises:
        ValueError: The file is truncated or too long, or no vector of float32.
    """
    content = Path(path).read_bytes()
    if len(content) < HEADER.size:
        raise ValueError(f'{path} has {len(content)} bytes: the header alone has {HEADER.size}')
    rows, columns, row_bytes, kind = HEADER.unpack_from(content)
    if kind != CV_32F or rows < 1 or columns < 1 or row_bytes not in (4, 4 * columns):
        raise ValueError(
            f'{path} is no matrix of float32: its header says {rows} x {columns}, {row_bytes} '
            f'bytes a row, type {kind}; right would be 4 bytes a number, type {CV_32F}'
        )
    if 1 not in (rows, columns):
        raise ValueError(f'{path} holds a matrix {rows} x {columns}: a feature is a vector')
    expected = HEADER.size + 4 * rows * columns
    if len(content) != expected:
        raise ValueError(
            f'{path} has {len(content)} bytes, but {rows} x {columns} numbers make {expected}: was '
            'it written to its end?'
        )
    return np.frombuffer(content, '<f4', offset=HEADER.size).astype(np.float32)


def write_feature(path: str | Path, feature: np.ndarray) -> None:
    """Write what :func:`read_feature`, and the devkit, read, making its folder.

    A million files are written, so no write waits for the disk. An unfinished file shows by its
    length.

    Raises:
        ValueError: The feature is no vector, or not finite.
    """
    feature = np.asarray(feature, '<f4')
    if feature.ndim != 1 or not len(feature):
        raise ValueError(f'a feature is a vector (D,), got shape {feature.shape}')
    if not np.isfinite(feature).all():
        raise ValueError(f'the feature for {path} is not finite: has the model diverged?')
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(HEADER.pack(len(feature), 1, 4, CV_32F) + feature.tobytes())


def read_features(
    folder: str | Path, paths: Sequence[str], suffix: str, chunk_size: int = 4096
) -> Iterator[np.ndarray]:
    """The features of images in chunks (m, D).

    Args:
        folder: Of the feature files.
        paths: Of the images, relative to the folder of a list.
        suffix: Of a feature file, behind the image's path.
        chunk_size: Files that are read before they are compared, the largest m.

    Raises:
        FileNotFoundError: A feature file is not there.
        ValueError: As in :func:`read_feature`, or they are not of one length.
    """
    length: int | None = None
    for start in range(0, len(paths), chunk_size):
        chunk = []
        for path in paths[start : start + chunk_size]:
            file = user_path(folder) / f'{path}{suffix}'
            chunk.append(read_feature(file))
            length = length or len(chunk[-1])
            if len(chunk[-1]) != length:
                raise ValueError(f'{file} has {len(chunk[-1])} numbers, the others {length}')
        yield np.stack(chunk)


def read_noise(path: str | Path) -> set[str]:
    """The images of a list of noise, with ``/`` between the parts of their paths.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The list names no image, or is no text.
    """
    lines = [line.text.split('\t')[-1] for line in read_lines(path, comments=True)]
    noise = {unquote(text).replace('\\', '/').removeprefix('./') for text in lines} - {''}
    if not noise:
        raise ValueError(f'{path} names no image: it is no list of noise')
    return noise


def is_noise(path: str, noise: set[str]) -> bool:
    """Whether the list names the image, by the whole path or its last parts."""
    parts = PurePosixPath(path.replace('\\', '/')).parts
    return any('/'.join(parts[start:]) in noise for start in range(len(parts)))


def check_noise(found: Mapping[str | Path, int], images: int) -> None:
    """The lists of noise are of the images that are evaluated.

    A list of distractors alone may name none of a few distractors.

    Args:
        found: Of each list, how many of the images it names.
        images: How many probes and distractors there are.

    Raises:
        ValueError: No list names any of the images.

    When:
        ``tools/analysis/megaface.py --noise`` starts.
    """
    if found and not any(found.values()):
        raise ValueError(
            f'{", ".join(map(str, found))}: none of the {images} probes and distractors is in '
            'these lists of noise. They name an image by the last parts of its path, with its '
            'extension'
        )


def refine_probes(features: np.ndarray, ids: Sequence, noisy: np.ndarray) -> np.ndarray:
    """The unit features of probes; a noisy one gets the mean direction of its person's others.

    This is insightface's rule for its refined MegaFace, without the jitter of 0.001 that it adds.

    Args:
        features: (N, D), of any length.
        ids: (N,) persons.
        noisy: (N,) bool.

    Returns:
        (N, D) unit features.

    Raises:
        ValueError: A person has only noisy probes, or a feature is zero or not finite.
    """
    persons = np.asarray(ids)
    length = np.linalg.norm(features, axis=1, keepdims=True)
    wrong = np.flatnonzero(~(np.isfinite(length) & (length > 0)))
    if len(wrong):
        raise ValueError(f'features have no direction (zero or not finite), first row {wrong[0]}')
    unit = features / length
    refined = unit.copy()
    for row in np.flatnonzero(noisy):
        clean = (persons == persons[row]) & ~noisy
        if not clean.any():
            raise ValueError(
                f'all probes of {persons[row]} are noise: none is left to replace them by'
            )
        centre = unit[clean].sum(0)
        refined[row] = centre / np.linalg.norm(centre)
    return refined
