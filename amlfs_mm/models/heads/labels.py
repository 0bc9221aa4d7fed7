"""The labels of a batch, checked against the classes of a head."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from .hard_targets import hard_targets, is_whole


class Labels(nn.Module):
    """Reads the labels (N,) of a batch, and refuses those that are no class of the head.

    If a batch knows that all labels of its data set are classes, nothing is left to check. Else, on
    a CPU the check comes at once, before the loss. On another device reading the labels would make
    the host wait in every training step. There the extreme labels are kept on the device, and
    the check comes where the host waits in any case: when the model goes to evaluation, and when
    its weights are saved. Until then a label out of range counts as the nearest class: no kernel
    fails with a message that names nothing.

    It has no weights. It is a module to learn of both moments.

    Args:
        num_classes: C.
        name: Of the head, for messages.
    """

    def __init__(self, num_classes: int, name: str) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.name = name
        self.extremes: tuple[Tensor, Tensor] | None = None

    def forward(self, data_samples: Sequence[DataSample]) -> Tensor:
        """The labels (N,).

        Raises:
            ValueError: A sample has soft labels, no label, several labels, or one outside [0, C).
        """
        try:
            target = hard_targets(data_samples, self.name)
        except AttributeError as error:
            raise ValueError(self._no_label(data_samples)) from error
        if len(target) != len(data_samples):
            raise ValueError(
                f'{self.name} needs one class a sample, but the batch has {len(target)} labels of '
                f'{len(data_samples)} samples: gt_label must be one number'
            )
        if is_whole(data_samples) and self._holds(data_samples.label_range):
            return target
        if target.device.type == 'cpu':
            self._check(target, data_samples)
            return target
        return self.keep_extremes(target)

    def keep_extremes(self, target: Tensor) -> Tensor:
        """Note the extreme labels on their device; the labels (N,), clamped to [0, C)."""
        lowest, highest = target.aminmax()
        if self.extremes is not None:
            lowest = torch.minimum(lowest, self.extremes[0])
            highest = torch.maximum(highest, self.extremes[1])
        self.extremes = lowest, highest
        return target.clamp(0, self.num_classes - 1)

    def check_extremes(self) -> None:
        """Refuse a label that a batch since the last call had; on a GPU the host waits.

        Raises:
            ValueError: A label was outside [0, C).
        """
        if self.extremes is None:
            return
        extremes, self.extremes = torch.stack(self.extremes).tolist(), None
        for label in extremes:
            if not 0 <= label < self.num_classes:
                raise ValueError(
                    f'a training sample since the last evaluation has {self._out_of_range(label)}'
                )

    def train(self, mode: bool = True) -> Labels:
        """As of any module; at the switch to evaluation, check what was kept."""
        if not mode:
            self.check_extremes()
        return super().train(mode)

    def __getstate__(self) -> dict:
        return self.__dict__ | dict(extremes=None)

    def _save_to_state_dict(self, *args) -> None:
        self.check_extremes()
        super()._save_to_state_dict(*args)

    def _holds(self, label_range: tuple[int, int] | None) -> bool:
        return label_range is not None and 0 <= label_range[0] <= label_range[1] < self.num_classes

    def _check(self, target: Tensor, data_samples: Sequence[DataSample]) -> None:
        if not len(target):
            return
        labels = target.numpy()  # of a small batch, numpy's extremes take a tenth of torch's time
        if labels.min() >= 0 and labels.max() < self.num_classes:
            return
        row = int(((target < 0) | (target >= self.num_classes)).nonzero()[0])
        raise ValueError(
            f'{name_of(data_samples[row], row)} has {self._out_of_range(int(target[row]))}'
        )

    def _out_of_range(self, label: int) -> str:
        return (
            f'the label {label}, but {self.name} has num_classes={self.num_classes}: labels are '
            f"from 0 to {self.num_classes - 1}. Set the head's num_classes to the data's, or "
            'correct the label'
        )

    def _no_label(self, data_samples: Sequence[DataSample]) -> str:
        row = next((i for i, sample in enumerate(data_samples) if 'gt_label' not in sample), 0)
        return (
            f'{name_of(data_samples[row], row)} has no gt_label, which {self.name} trains with: '
            "the data set's load_data_list must give it, and PackInputs must pack it"
        )


def name_of(sample: DataSample, row: int) -> str:
    """A sample in words: its path or index if the pipeline kept them, else its row (from 0)."""
    if sample.get('img_path'):
        return f'sample {sample.img_path}'
    if sample.get('sample_idx') is not None:
        return f'sample number {sample.sample_idx} of the data set'
    return f'sample number {row} of the batch (from 0)'
