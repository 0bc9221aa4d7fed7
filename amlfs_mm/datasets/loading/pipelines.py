"""The pipeline of a data set, or of the one that it takes a part of."""

from __future__ import annotations

import copy
from typing import Any

from mmengine.dataset import Compose
from mmpretrain.datasets import PackInputs
from torch.utils.data import Dataset

from .in_memory_images import InMemoryImages


def pipeline_of(dataset: Dataset) -> list:
    """The transforms of a data set, or of the one that it takes a part of.

    Raises:
        ValueError: There is no pipeline that ends in ``PackInputs``.
    """
    while not has_own(dataset, 'pipeline') and has_own(dataset, 'dataset'):
        dataset = dataset.dataset
    name = type(dataset).__name__
    if hasattr(dataset, 'pipeline') and not has_own(dataset, 'pipeline'):
        raise ValueError(
            f'{name} passes on the pipeline of another data set; with num_batch_per_epoch in a '
            'data loader mmengine makes such a part of a data set'
        )
    transforms = list(getattr(getattr(dataset, 'pipeline', None), 'transforms', []))
    if not transforms or not isinstance(transforms[-1], PackInputs):
        raise ValueError(f'{name} has no pipeline that ends in PackInputs')
    return transforms


def has_own(dataset: Any, name: str) -> bool:
    """Whether a data set has an attribute, not only passes on that of another one."""
    return name in vars(dataset) or hasattr(type(dataset), name)


def with_pipeline(dataset: Dataset, transforms: list) -> Dataset:
    """A copy of the data set, of the same items, with other transforms."""
    if isinstance(dataset, InMemoryImages):  # as they are: they have gone through the pipeline
        return dataset
    dataset = copy.copy(dataset)
    if has_own(dataset, 'pipeline'):
        dataset.pipeline = Compose(transforms)
    else:
        dataset.dataset = with_pipeline(dataset.dataset, transforms)
    return dataset
