"""One softmax loss for each part of a person."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmengine.utils import is_seq_of
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from amlfs_mm.registry import MODELS

from ..layers.inputs import describe


@MODELS.register_module()
class PartsHead(BaseModule):
    """A classifier for each part of a person; the loss is the sum of their losses.

    The parts are the stripes of PCB (Sun et al., ECCV 2018, arXiv 1711.09349, section 3.2), or the
    whole image and its regions of HA-CNN (Li et al., CVPR 2018, arXiv 1802.08122). The classifiers
    share no weights. With ``classifier=dict(type='amlfs_mm.AMLFSHead')`` a search gives all of them
    one theta.

    The test feature is what the backbone gives in evaluation.

    Args:
        num_classes: C.
        in_channels: D, the length of a part's feature.
        num_parts: How many parts the backbone gives in training.
        classifier: Config of a head: ``SoftmaxHead`` or ``AMLFSHead``.
        init_cfg: As in mmengine's ``BaseModule``.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        num_parts: int,
        classifier: dict = dict(type='amlfs_mm.SoftmaxHead'),
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.classifiers = nn.ModuleList(
            MODELS.build(dict(classifier, num_classes=num_classes, in_channels=in_channels))
            for _ in range(num_parts)
        )

    def pre_logits(self, feats: tuple[Tensor, ...]) -> Tensor:
        """The features in a row: the test feature in evaluation, else those of all parts."""
        return torch.cat(feats, dim=1)

    def forward(self, feats: tuple[Tensor, ...]) -> list[Tensor]:
        """The logits (N, C) of each part.

        Raises:
            ValueError: The features are not one for each part.
        """
        return [
            classifier((feature,))
            for classifier, feature in zip(self.classifiers, self._of_parts(feats), strict=True)
        ]

    def loss(
        self, feats: tuple[Tensor, ...], data_samples: Sequence[DataSample]
    ) -> dict[str, Tensor]:
        """``loss_part_<i>`` of each part; their sum is minimised.

        Raises:
            ValueError: The features are not one for each part, or a classifier cannot take the
                features or the labels.
        """
        losses = {}
        for i, feature in enumerate(self._of_parts(feats)):
            for key, value in self.classifiers[i].loss((feature,), data_samples).items():
                losses[f'{key}_part_{i}'] = value
        return losses

    def _of_parts(self, feats: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        count = len(self.classifiers)
        if not is_seq_of(feats, Tensor) or len(feats) != count:
            raise ValueError(
                f'{type(self).__name__} needs the features of {count} parts, but the backbone '
                f"gives {describe(feats)}: set backbone=dict(type='amlfs_mm.TorchreidBackbone', "
                'parts=True, ...), and num_parts to the number of its parts. In evaluation it '
                'gives the test feature, which has no logits'
            )
        return feats
