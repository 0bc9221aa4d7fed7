"""Features of images, and the file that those of queries and gallery are exported to."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from amlfs_mm.utils.atomic_files import atomic_write


class Features(NamedTuple):
    """Features (N, D) with identity, camera (N,) and path of each."""

    features: Tensor
    ids: Tensor
    cameras: Tensor
    paths: list[str]


def save_features(path: str | Path, query: Features, gallery: Features) -> None:
    """Write ``query_features``, ``query_ids``, ``query_cameras``, ``query_paths`` and the same of
    the gallery to a ``.npz`` (no pickles in it)."""
    arrays = {}
    for role, images in (('query', query), ('gallery', gallery)):
        arrays[f'{role}_features'] = images.features.numpy()
        arrays[f'{role}_ids'] = images.ids.numpy()
        arrays[f'{role}_cameras'] = images.cameras.numpy()
        arrays[f'{role}_paths'] = np.array(images.paths)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary, open(temporary, 'wb') as file:
        np.savez(file, **arrays)


def load_features(path: str | Path) -> tuple[Features, Features]:
    """Queries and gallery as :func:`save_features` wrote them.

    Raises:
        ValueError: Something is missing in the file.
    """
    with np.load(path, allow_pickle=False) as arrays:
        parts = []
        for role in ('query', 'gallery'):
            names = [f'{role}_{name}' for name in ('features', 'ids', 'cameras', 'paths')]
            missing = [name for name in names if name not in arrays]
            if missing:
                raise ValueError(f'{path} has no {missing}: it is no file of exported features')
            features, ids, cameras, paths = (arrays[name] for name in names)
            tensors = map(torch.from_numpy, (features, ids, cameras))
            parts.append(Features(*tensors, paths.tolist()))
    return tuple(parts)
