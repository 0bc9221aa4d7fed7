"""The data samples of a batch as a few tensors; a sample is made when somebody asks for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmpretrain.structures import DataSample
from torch import Tensor


class LazyDataSamples(Sequence):
    """A sequence of mmpretrain's ``DataSample`` of N images with one class each.

    Who knows this class reads the tensors. Everybody else takes items from it as from a list: an
    item is made on the first access and kept, so that what is written to it stays.

    Args:
        labels: (N,) int64, the classes.
        sources: The N samples from which the items are made. They are not changed.
        pred_score: (N, C), the predicted probabilities, if there are any. The predicted class is
            the most probable one.
        label_range: The smallest and the largest label of the data set that the batch is from, if
            they are known. Then nobody needs to look for them in every batch.
    """

    def __init__(
        self,
        labels: Tensor,
        sources: Sequence[DataSample],
        pred_score: Tensor | None = None,
        label_range: tuple[int, int] | None = None,
    ) -> None:
        self.labels = labels
        self.sources = sources
        self.pred_score = pred_score
        self.label_range = label_range
        self._made: dict[int, DataSample] = {}

    @property
    def untouched(self) -> bool:
        """Whether no item has been made yet: then the tensors tell all there is."""
        return not self._made

    def to(self, device: torch.device) -> LazyDataSamples:
        """The same samples, their tensors on another device."""
        if self.labels.device == device:
            return self
        labels = self.labels.to(device, non_blocking=True)
        return LazyDataSamples(labels, self.sources, label_range=self.label_range)

    def predicted(self, pred_score: Tensor) -> LazyDataSamples:
        """The same samples with predicted probabilities (N, C)."""
        return LazyDataSamples(self.labels, self.sources, pred_score)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int | slice) -> DataSample | list[DataSample]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = range(len(self))[index]  # an IndexError ends an iteration
        if position not in self._made:
            self._made[position] = self._make(position)
        return self._made[position]

    def _make(self, position: int) -> DataSample:
        sample = self.sources[position].clone()
        sample.set_gt_label(self.labels[position : position + 1])
        if self.pred_score is not None:
            score = self.pred_score[position]
            sample.set_pred_score(score).set_pred_label(score.argmax(dim=0, keepdim=True))
        return sample


class Selection(Sequence):
    """The items of a list at some positions; only those are pickled with it.

    Args:
        items: The whole list.
        positions: Of the selected items.
    """

    def __init__(self, items: Sequence, positions: Sequence[int] | np.ndarray) -> None:
        self.items = items
        self.positions = positions

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, index: int):  # type: ignore[override]  # no slices
        return self.items[self.positions[index]]

    def __reduce__(self) -> tuple:
        return list, ([self[i] for i in range(len(self))],)
