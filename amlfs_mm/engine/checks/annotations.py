"""What a data set says about its samples, without loading them and through its wrappers."""

from __future__ import annotations

import bisect
import hashlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from torch.utils.data import ConcatDataset, Subset

LIMIT = 20_000
"""Samples of a data set that a check looks at; a second's work for some 50,000."""
NO_ANNOTATION = ('img', 'img_path', 'sample_idx')
"""Items of an annotation that say which image it is, or which number it has."""


def sampled_annotations(dataset: Any, limit: int = LIMIT) -> Iterator[tuple[int, dict]]:
    """(index, annotation) of each sample whose annotation is known without loading it.

    Args:
        dataset: Also one made of others: put together, repeated, a part of one.
        limit: A larger data set is sampled: the same indices each time, spread over all of it.
    """
    length = len(dataset)
    indices = range(length)
    if length > limit:
        indices = np.unique(np.random.default_rng(0).integers(length, size=limit)).tolist()
    for index in indices:
        info = annotation(dataset, index)
        if isinstance(info, dict):
            yield index, info


def annotation(dataset: Any, index: int) -> dict | None:
    """The annotation of one sample; None if the data set does not tell."""
    if hasattr(dataset, 'get_data_info'):
        return dataset.get_data_info(index)
    if isinstance(dataset, Subset):
        return annotation(dataset.dataset, dataset.indices[index])
    if isinstance(dataset, ConcatDataset):
        part = bisect.bisect_right(dataset.cumulative_sizes, index)
        before = dataset.cumulative_sizes[part - 1] if part else 0
        return annotation(dataset.datasets[part], index - before)
    inner = getattr(dataset, 'dataset', None)
    if inner is not None and len(inner) and len(dataset) % len(inner) == 0:
        return annotation(inner, index % len(inner))  # the same ones, perhaps repeated
    return None


def distinct(dataset: Any) -> Any:
    """The data set without repetition, where a wrapper only repeats it."""
    inner = getattr(dataset, 'dataset', None)
    repeats = hasattr(dataset, 'times') and inner is not None
    return distinct(inner) if repeats else dataset


def count_scored(dataset: Any) -> int:
    """How many samples of D_v are scored one by one: all but a gallery, in which others are sought.

    A rank-1 of 200 queries in a gallery of 5,000 is a mean over 200 samples.
    """
    gallery = sum(
        info.get('role') == 'gallery' for _, info in sampled_annotations(dataset, len(dataset))
    )
    return len(dataset) - gallery


def image_path(info: dict) -> str | None:
    """The absolute path of a sample's image; None if it is no file."""
    path = info.get('img_path')
    return os.path.abspath(os.path.expanduser(path)) if isinstance(path, str) and path else None


PIXELS = 'pixels '


def pixel_key(info: dict) -> str | None:
    """The same for samples with the same pixels; None if the annotation does not hold them."""
    pixels = info.get('img')
    if not isinstance(pixels, np.ndarray):
        return None
    return PIXELS + hashlib.sha1(pixels.tobytes()).hexdigest()


def sample_key(info: dict) -> str | None:
    """The same for samples of the same image with the same annotation; None if it is not known."""
    own = path = image_path(info)
    if path is None and (own := pixel_key(info)) is None:
        return None
    others = {key: value for key, value in info.items() if key not in NO_ANNOTATION}
    return f'{own} {sorted(others.items(), key=str)}'


def describe_sample(index: int, info: dict) -> str:
    """``sample 3 (images/3.jpg)``."""
    path = info.get('img_path')
    return f'sample {index} ({path})' if path else f'sample {index}'
