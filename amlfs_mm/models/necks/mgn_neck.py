"""MGN's pooling and reductions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from amlfs_mm.registry import MODELS


class MGNFeatures(NamedTuple):
    """What MGN's losses and its test feature are made of (Fig. 3 of arXiv 1804.01438)."""

    pooled: list[Tensor]
    """z_g of each branch, (N, C): under a softmax loss."""
    reduced: list[Tensor]
    """f_g of each branch, (N, D): under a triplet loss."""
    stripes: list[Tensor]
    """f_p of each stripe of the branches that have them, (N, D): under a softmax loss."""


@MODELS.register_module()
class MGNNeck(BaseModule):
    """Max pooling of each branch's map, whole and in stripes, and a reduction of each of its own.

    With the paper's branches of 1, 2 and 3 stripes: 3 whole maps and 5 stripes, 8 reductions
    (1 x 1 convolution without bias, BN, ReLU), none shared.

    Args:
        in_channels: C, of the feature maps.
        out_channels: D, of a reduction.
        stripes: Horizontal stripes of each branch; 1: the whole map alone.
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
        self.stripes = tuple(stripes)

        def reductions(count: int) -> nn.ModuleList:
            return nn.ModuleList(
                ConvModule(in_channels, out_channels, 1, norm_cfg=dict(type='BN'))
                for _ in range(count)
            )

        self.whole_reductions = reductions(len(self.stripes))
        self.stripe_reductions = reductions(sum(n for n in self.stripes if n > 1))

    def forward(self, feats: Sequence[Tensor]) -> MGNFeatures:
        """The features of the branches' maps (N, C, H_i, W_i)."""
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
