"""A data set without the samples, or with other labels than those, that a list calls wrong."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from mmengine.dataset import BaseDataset
from torch.utils.data import Dataset

from amlfs_mm.registry import DATASETS
from amlfs_mm.utils.paths import user_path

from .source_positions import source_positions

COLUMNS = ('index', 'label')


@DATASETS.register_module()
class CleanedDataset(Dataset):
    """The samples of another data set that a list names, with the labels of the list.

    ``amlfs_mm label-errors --drop`` and ``--relabel`` write such a list. The other data set keeps
    its ``indices``, its pipeline and its :class:`amlfs_mm.LabelNoise`: the noise of a sample
    depends on its position there, which does not change. The label of the list comes last.

    Args:
        dataset: The other data set, or its config. It may be one that repeats, concatenates or
            takes a part of others.
        labels: A CSV file with the columns ``index`` and ``label``. An index is the sample's
            position in its source (:func:`.source_positions`). Samples that it does not list are
            left out.

    Raises:
        FileNotFoundError: There is no such list.
        ValueError: A line of it is wrong, an index occurs twice or is not in the data set, or the
            list is empty; the message names file and line.
    """

    def __init__(self, dataset: Dataset | dict, labels: str) -> None:
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        wanted = read_labels(labels)
        self.kept: list[int] = []
        self.new_labels: list[int] = []
        positions = source_positions(self.dataset)
        if missing := set(wanted) - set(positions):
            raise ValueError(
                f'{labels} lists sample {min(missing)} and {len(missing) - 1} others that are not '
                'in the data set: it belongs to another one'
            )
        for index, position in enumerate(positions):
            if position in wanted:
                self.kept.append(index)
                self.new_labels.append(wanted[position])

    @property
    def metainfo(self) -> dict:
        """That of the other data set."""
        return getattr(self.dataset, 'metainfo', {})

    def full_init(self) -> None:
        """Nothing: the data set is loaded when it is built."""

    def get_data_info(self, idx: int) -> dict:
        """The annotation of a sample, with the label of the list."""
        info = dict(_annotation(self.dataset, self.kept[idx]))
        info['gt_label'] = self.new_labels[idx]
        return info

    def get_cat_ids(self, idx: int) -> list[int]:
        """The class of a sample, for data sets that balance classes."""
        return [self.new_labels[idx]]

    def __len__(self) -> int:
        return len(self.kept)

    def __getitem__(self, idx: int) -> Any:
        sample = self.dataset[self.kept[idx]]
        sample['data_samples'].set_gt_label(self.new_labels[idx])
        return sample


def read_labels(path: str | Path) -> dict[int, int]:
    """The label of each sample of a list, by the sample's position in its source.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A line is wrong, an index occurs twice, or there is none.
    """
    path = user_path(str(path))
    if not path.is_file():
        raise FileNotFoundError(f'there is no list of labels {str(path)!r}')
    found: dict[int, int] = {}
    with open(path, newline='', encoding='utf-8-sig') as file:
        rows = csv.DictReader(file)
        if not set(COLUMNS) <= set(rows.fieldnames or ()):
            raise ValueError(f'{path} must have the columns {list(COLUMNS)}, got {rows.fieldnames}')
        for row in rows:
            try:
                index, label = (int(row[name]) for name in COLUMNS)
            except (TypeError, ValueError):
                raise ValueError(
                    f'{path}, line {rows.line_num}: index and label must be whole numbers'
                ) from None
            if index < 0 or label < 0:
                raise ValueError(f'{path}, line {rows.line_num}: index and label must be >= 0')
            if index in found:
                raise ValueError(f'{path}, line {rows.line_num}: sample {index} is listed twice')
            found[index] = label
    if not found:
        raise ValueError(f'{path} lists no sample')
    return found


def _annotation(dataset: Any, index: int) -> dict:
    if isinstance(dataset, BaseDataset) or hasattr(dataset, 'get_data_info'):
        return dataset.get_data_info(index)
    if hasattr(dataset, 'indices'):
        return _annotation(dataset.dataset, dataset.indices[index])
    raise ValueError(f'{type(dataset).__name__} does not tell its annotations (get_data_info)')
