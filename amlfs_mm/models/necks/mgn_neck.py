"""The pooling and the reductions of MGN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from amlfs_mm.registry import MODELS

from ..layers.inputs import describe, feature_map, refuse_single_image


class MGNFeatures(NamedTuple):
    """The features of MGN that losses and the test feature use (Fig. 3 of arXiv 1804.01438)."""

    pooled: list[Tensor]
    """z_g of each branch, (N, C), for a softmax loss."""
    reduced: list[Tensor]
    """f_g of each branch, (N, D), for a triplet loss."""
    stripes: list[Tensor]
    """f_p of each stripe of the branches with stripes, (N, D), for a softmax loss."""


@MODELS.register_module()
class MGNNeck(BaseModule):
    """Max pooling of each branch's map, whole and in stripes, and a reduction of each result.

    The paper's branches have 1, 2 and 3 stripes. They give 3 whole maps and 5 stripes, and 8
    reductions (1 x 1 convolution without bias, BN, ReLU) that share no weights.

    Args:
        in_channels: C, of the feature maps.
        out_channels: D, of a reduction.
        stripes: Number of horizontal stripes of each branch. 1: only the whole map.
        init_cfg: As in mmengine's ``BaseModule``.
    """

    def __init__(
        self,
        in_channels: int = 2048,
        out_channels: int = 256,
        stripes: Sequence[int] = (1, 2, 3),
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.in_channels = in_channels
        self.stripes = tuple(stripes)

        def reductions(count: int) -> nn.ModuleList:
            return nn.ModuleList(
                ConvModule(in_channels, out_channels, 1, norm_cfg=dict(type='BN'))
                for _ in range(count)
            )

        self.whole_reductions = reductions(len(self.stripes))
        self.stripe_reductions = reductions(sum(n for n in self.stripes if n > 1))

    def forward(self, feats: Sequence[Tensor]) -> MGNFeatures:
        """The features of the branches' maps (N, C, H_i, W_i).

        Raises:
            ValueError: There are not as many maps as branches, a map has another number of
                channels, or a training batch has one image.
        """
        self._check(feats)
        pooled = [F.adaptive_max_pool2d(branch, 1) for branch in feats]
        stripes = [
            stripe
            for branch, count in zip(feats, self.stripes, strict=True)
            if count > 1
            for stripe in F.adaptive_max_pool2d(branch, (count, 1)).split(1, dim=2)
        ]
        return MGNFeatures(
            [z.flatten(1) for z in pooled],
            [reduce(z).flatten(1) for reduce, z in zip(self.whole_reductions, pooled, strict=True)],
            [
                reduce(z).flatten(1)
                for reduce, z in zip(self.stripe_reductions, stripes, strict=True)
            ],
        )

    def _check(self, feats: Sequence[Tensor]) -> None:
        name = type(self).__name__
        if not isinstance(feats, (tuple, list)) or len(feats) != len(self.stripes):
            raise ValueError(
                f'{name} needs {len(self.stripes)} feature maps, one a branch, but the backbone '
                f"gives {describe(feats)}: set backbone=dict(type='amlfs_mm.MGNBackbone'), with "
                'as many strides as the neck has stripes'
            )
        for branch in feats:
            feature_map(branch, name, self.in_channels)
        if self.training:
            refuse_single_image(feats[0], self, name)
