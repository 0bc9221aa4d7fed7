"""The labels of a batch, checked by the process that loads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from mmengine.structures import BaseDataElement

from .labels import bad_label


class CheckedCollate:
    """Another ``collate_fn``, which sees samples whose labels have been checked.

    It runs where the data are loaded, on the CPU: nothing waits for the device.

    Args:
        collate: The other one.
        heads: Those that classify ``gt_label``. Without any, nothing is checked.
    """

    only_checks = True  # its batches are those of the other one

    def __init__(self, collate: Callable, heads: list[Any]) -> None:
        self.collate = collate
        self.num_classes: int | None = min((head.num_classes for head in heads), default=None)
        self.head = type(heads[0]).__name__ if heads else ''

    def __call__(self, samples: list) -> Any:
        self.check(samples)
        return self.collate(samples)

    def check(self, samples: list) -> None:
        """The labels are classes of the head.

        Raises:
            ValueError: A label is no class, or a sample has no label.
        """
        if self.num_classes is None:
            return
        try:
            labels = torch.cat([sample['data_samples'].gt_label for sample in samples])
            if labels.min() >= 0 and labels.max() < self.num_classes:
                return
        except (AttributeError, KeyError, RuntimeError, TypeError):
            pass  # some have none: look at each
        for sample in samples:
            data = sample.get('data_samples') if isinstance(sample, dict) else None
            if isinstance(data, BaseDataElement):
                self._check_one(data, self.num_classes)

    def _check_one(self, sample: BaseDataElement, num_classes: int) -> None:
        path = sample.get('img_path')
        name = f'training sample {sample.get("sample_idx", "")}' + (f' ({path})' if path else '')
        if 'gt_label' not in sample:
            if 'gt_score' in sample:
                return
            raise ValueError(
                f'{name} has no gt_label, which {self.head} trains with. Let the '
                'data set, or a transform before PackInputs, set gt_label'
            )
        for label in sample.gt_label.reshape(-1).tolist():
            if not 0 <= label < num_classes:
                raise ValueError(bad_label(name, label, num_classes))
