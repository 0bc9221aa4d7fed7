"""The data samples of a batch as a few tensors; a sample is made when somebody asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmpretrain.structures import DataSample
from torch import Tensor


class LazyDataSamples(Sequence):
    """A sequence of mmpretrain's ``DataSample`` of N images with one class each.

    Who knows this class reads the tensors. Everybody else takes items from it as from a list: an
    item is made on the first access and kept, so that what is written to it stays.

    From an iterable of data samples alone, as in ``type(samples)(made anew from each)``, a list of
    them is made: so mmengine's data preprocessors copy any sequence to the device.

    Args:
        labels: (N,) int64, the classes.
        sources: The N samples from which the items are made. They are not changed.
        pred_score: (N, C), the predicted probabilities, if there are any. The predicted class is
            the most probable one.
        label_range: The smallest and the largest label of the data set that the batch is from, if
            they are known. Then nobody needs to look for them in every batch.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """An instance, or a list of the data samples of the only argument."""
        if len(args) == 1 and not kwargs and not isinstance(args[0], Tensor):
            return list(args[0])
        return super().__new__(cls)

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
        scores = self.pred_score
        moved = LazyDataSamples(
            self.labels.to(device, non_blocking=True),
            self.sources,
            scores if scores is None else scores.to(device, non_blocking=True),
            self.label_range,
        )
        moved._made = {i: item.to(device, non_blocking=True) for i, item in self._made.items()}
        return moved

    def predicted(self, pred_score: Tensor) -> LazyDataSamples:
        """The same samples with predicted probabilities (N, C)."""
        predicted = LazyDataSamples(self.labels, self.sources, pred_score)
        predicted._made = {
            i: with_prediction(item.clone(), pred_score[i]) for i, item in self._made.items()
        }
        return predicted

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
            with_prediction(sample, self.pred_score[position])
        return sample


def with_prediction(sample: DataSample, score: Tensor) -> DataSample:
    """The sample itself, with its predicted probabilities (C,) and the most probable class."""
    return sample.set_pred_score(score).set_pred_label(score.argmax(dim=0, keepdim=True))


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
