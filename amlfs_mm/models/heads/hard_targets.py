"""The classes of a batch as one tensor, for heads of losses that need one class a sample."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmpretrain.models.heads import ClsHead
from mmpretrain.structures import DataSample
from torch import Tensor

from amlfs_mm.utils.lazy_data_samples import LazyDataSamples

from ..layers.inputs import feature_vectors


def hard_targets(data_samples: Sequence[DataSample], name: str) -> Tensor:
    """The classes (N,) of a batch.

    Raises:
        ValueError: The batch has soft labels (Mixup, CutMix).
    """
    if is_whole(data_samples):
        return data_samples.labels
    if 'gt_score' in data_samples[0]:
        raise ValueError(
            f'{name} needs one class a sample, but the batch has soft labels (gt_score): '
            'remove Mixup / CutMix (model.train_cfg.augments) from the config'
        )
    return torch.cat([sample.gt_label for sample in data_samples])


def is_whole(data_samples: Sequence[DataSample] | None) -> bool:
    """Whether the tensors of a batch tell all that its data samples would."""
    return isinstance(data_samples, LazyDataSamples) and data_samples.untouched


class WholeBatchHead(ClsHead):
    """A classifier of vectors that reads and writes the tensors of :class:`LazyDataSamples`.

    Attributes:
        in_channels: D, the length of a feature.
    """

    in_channels: int

    def pre_logits(self, feats: tuple[Tensor, ...] | Tensor) -> Tensor:
        """The features (N, D): those of the last stage, or a bare tensor itself.

        Raises:
            ValueError: They do not have this shape.
        """
        return feature_vectors(feats, type(self).__name__, self.in_channels)

    def _get_loss(
        self, cls_score: Tensor, data_samples: Sequence[DataSample], **kwargs
    ) -> dict[str, Tensor]:
        if is_whole(data_samples):
            # mmpretrain concatenates the labels of a list: of one sample that has them all.
            data_samples = [DataSample().set_gt_label(data_samples.labels)]
        return super()._get_loss(cls_score, data_samples, **kwargs)

    def _get_predictions(
        self, cls_score: Tensor, data_samples: Sequence[DataSample] | None
    ) -> Sequence[DataSample]:
        if not is_whole(data_samples):
            return super()._get_predictions(cls_score, data_samples)
        return data_samples.predicted(F.softmax(cls_score, dim=1))
