"""The features of queries and gallery, and the file to which they are exported."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.lib.npyio import NpzFile
from torch import Tensor

from amlfs_mm.utils.atomic_files import atomic_write


class Features(NamedTuple):
    """The features of N images and what is known of each image."""

    features: Tensor
    """(N, D)."""
    ids: Tensor
    """(N,) Identities."""
    cameras: Tensor
    """(N,)."""
    paths: list[str]
    """(N,) Image files."""


def save_features(path: str | Path, query: Features, gallery: Features) -> None:
    """Write queries and gallery to a ``.npz`` file, without pickles.

    It has the arrays ``query_features``, ``query_ids``, ``query_cameras``, ``query_paths``, and
    the same of the gallery.

    Args:
        path: Of the file; ``~`` is the home folder.
        query: The queries.
        gallery: The gallery.
    """
    path = Path(path).expanduser()
    arrays = {}
    for role, images in (('query', query), ('gallery', gallery)):
        arrays[f'{role}_features'] = images.features.numpy()
        arrays[f'{role}_ids'] = images.ids.numpy()
        arrays[f'{role}_cameras'] = images.cameras.numpy()
        arrays[f'{role}_paths'] = np.array(images.paths)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary, open(temporary, 'wb') as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load_features(path: str | Path) -> tuple[Features, Features]:
    """Queries and gallery as :func:`save_features` wrote them.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is no such file, something is missing in it, or lengths do not fit.
    """
    path = Path(path).expanduser()
    try:
        opened = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, BadZipFile) as error:
        raise ValueError(f'{path} is no file of exported features: {error}') from error
    if not isinstance(opened, NpzFile):
        raise ValueError(f'{path} is no file of exported features: it holds one array')
    with opened as arrays:
        parts = []
        for role in ('query', 'gallery'):
            names = [f'{role}_{name}' for name in ('features', 'ids', 'cameras', 'paths')]
            missing = [name for name in names if name not in arrays]
            if missing:
                raise ValueError(f'{path} has no {missing}: it is no file of exported features')
            features, ids, cameras, paths = (arrays[name] for name in names)
            lengths = [len(array) for array in (features, ids, cameras, paths)]
            if len(set(lengths)) > 1 or features.ndim != 2:
                raise ValueError(
                    f'{path}: {names} must be as many features (N, D), identities, cameras and '
                    f'paths; got features {features.shape} and lengths {lengths}'
                )
            parts.append(
                Features(
                    torch.from_numpy(features),
                    torch.from_numpy(ids),
                    torch.from_numpy(cameras),
                    paths.tolist(),
                )
            )
    return parts[0], parts[1]
