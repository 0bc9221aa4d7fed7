"""Softmax classifiers without bias: plain, cosine (sphere softmax), with a margin (AM-softmax)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmpretrain.models.heads import LinearClsHead
from torch import Tensor, nn

from amlfs_mm.registry import MODELS


@MODELS.register_module()
class SoftmaxHead(LinearClsHead):
    """The hand-made counterpart of :class:`amlfs_mm.AMLFSHead`, which it equals at the identity.

    Logits are ``W_j . x``, or with a scale s ``s cos(theta_j)``: SphereReID's sphere softmax
    (arXiv 1807.00537). A margin m makes the target's ``s (cos(theta_y) - m)`` in the loss:
    AM-softmax (Wang et al. 2018).

    Args:
        num_classes: C.
        in_channels: D.
        scale: None for the plain classifier, or s.
        margin: m; needs a scale.
        kwargs: As in mmpretrain's ``LinearClsHead``.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        scale: float | None = None,
        margin: float = 0.0,
        **kwargs,
    ) -> None:
        super().__init__(num_classes=num_classes, in_channels=in_channels, **kwargs)
        if scale is not None and not 0 < scale < float('inf'):
            raise ValueError(f'scale must be None (plain linear) or a positive number, got {scale}')
        if margin and scale is None:
            raise ValueError(f'margin={margin} is one of cosines: give a scale too')
        self.scale = scale
        self.margin = margin
        self.fc = nn.Linear(in_channels, num_classes, bias=False)

    def pre_logits(self, feats: tuple[Tensor, ...] | Tensor) -> Tensor:
        """The features (N, D) of the last stage; a bare tensor is them already."""
        return feats if isinstance(feats, Tensor) else feats[-1]

    def forward(self, feats: tuple[Tensor, ...] | Tensor) -> Tensor:
        """The logits (N, C) without margin, in at least float32."""
        features = self.pre_logits(feats)
        with torch.autocast(features.device.type, enabled=False):
            features = features.to(torch.promote_types(features.dtype, torch.float32))
            weight = self.fc.weight.to(features.dtype)
            if self.scale is None:
                return F.linear(features, weight)
            return self.scale * F.linear(F.normalize(features), F.normalize(weight))

    def _get_loss(self, cls_score: Tensor, data_samples: list, **kwargs) -> dict[str, Tensor]:
        if self.margin:
            target = torch.cat([sample.gt_label for sample in data_samples])
            margin = self.scale * self.margin * F.one_hot(target, self.num_classes)
            cls_score = cls_score - margin
        return super()._get_loss(cls_score, data_samples, **kwargs)
