"""Where a sample stands in its source data set, before any subset, fold or repetition."""

from __future__ import annotations

import copy
from typing import Any

from mmengine.dataset import BaseDataset
from torch.utils.data import ConcatDataset, Subset


def source_positions(dataset: Any) -> list[int]:
    """The position of each sample in its source data set; a repeated sample has one position.

    The source is a ``BaseDataset`` without its ``indices``: a position is the number by which
    ``indices`` of that data set choose the sample. The sources of a ``ConcatDataset`` are counted
    through, whole: the first sample of the second source comes after the last one of the first.

    Args:
        dataset: Also one made of others: put together, repeated, balanced, a fold, a part of one.
    """
    return _positions(dataset)[0]


def _positions(dataset: Any) -> tuple[list[int], int]:
    """The positions, and the size of the whole source."""
    if hasattr(dataset, 'full_init'):
        dataset.full_init()
    if isinstance(dataset, BaseDataset):
        return _positions_in_whole(dataset)
    if isinstance(dataset, ConcatDataset):
        found: list[int] = []
        total = 0
        for part in dataset.datasets:
            positions, size = _positions(part)
            found += [total + position for position in positions]
            total += size
        return found, total
    if isinstance(dataset, Subset):
        positions, size = _positions(dataset.dataset)
        return [positions[index] for index in dataset.indices], size
    if hasattr(dataset, 'kept'):  # CleanedDataset
        positions, size = _positions(dataset.dataset)
        return [positions[index] for index in dataset.kept], size
    if hasattr(dataset, '_ori_indices'):  # KFoldDataset, whose data set is already the fold
        return _positions_of_fold(dataset)
    inner = getattr(dataset, 'dataset', None)
    if inner is None:
        return list(range(len(dataset))), len(dataset)
    positions, size = _positions(inner)
    if hasattr(dataset, '_get_ori_dataset_idx'):  # RepeatDataset, ClassBalancedDataset
        return [positions[dataset._get_ori_dataset_idx(i)] for i in range(len(dataset))], size
    return [positions[i % len(positions)] for i in range(len(dataset))], size


def _positions_in_whole(dataset: BaseDataset) -> tuple[list[int], int]:
    """The positions that the ``indices`` of a data set choose, and the size without them."""
    indices = dataset._indices
    size = len(dataset) if indices is None else _whole_size(dataset)
    every = range(size)
    if indices is None:
        return list(every), size
    if isinstance(indices, int):
        return list(every[:indices] if indices >= 0 else every[indices:]), size
    return [every[index] for index in indices], size


def _positions_of_fold(dataset: Any) -> tuple[list[int], int]:
    # The fold is a copy of its data set, with the same ``indices``, of which it is a part.
    whole = copy.copy(dataset.dataset)
    whole._fully_initialized = False
    whole.serialize_data = False
    whole.full_init()
    positions, size = _positions_in_whole(whole)
    return [positions[index] for index in dataset._ori_indices], size


def _whole_size(dataset: BaseDataset) -> int:
    whole = copy.copy(dataset)
    whole._indices = None
    whole._fully_initialized = False
    whole.serialize_data = False
    whole.full_init()
    return len(whole)
