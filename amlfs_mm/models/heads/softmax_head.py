"""Softmax classifiers without bias: plain, cosine (sphere softmax), and with a margin."""

from __future__ import annotations

from contextlib import nullcontext

import torch
import torch.nn.functional as F
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.models.losses import CrossEntropyLoss
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from amlfs_mm.registry import MODELS
from amlfs_mm.utils.autocast import without_autocast

from ..layers.logits import Scale, check_scale, initial_weights, norms_outside_t
from ..layers.sharded_linear import ShardedLinear, build_class_weights, whole_weight
from ..losses import AMSoftmaxMargin, transform_target_logit
from .hard_targets import WholeBatchHead, hard_targets


@MODELS.register_module()
class SoftmaxHead(WholeBatchHead, LinearClsHead):
    """The hand-made counterpart of :class:`amlfs_mm.AMLFSHead`, which it equals at the identity.

    Logits are ``W_j . x``, or with a scale s ``s cos(theta_j)``: SphereReID's sphere softmax
    (arXiv 1807.00537). A margin replaces the target's ``s cos(theta_y)`` by ``s t(cos(theta_y))``
    in the loss, exactly: ``AMSoftmaxMargin``, ``ArcFaceMargin``, or, with ``scale='feature'``
    (``|x| cos(theta_j)``), ``ASoftmaxMargin``.

    Args:
        num_classes: C.
        in_channels: D.
        scale: None for the plain classifier, s, or ``'feature'``.
        margin: Config of a margin, or a number m for ``AMSoftmaxMargin``; needs a scale.
        sharded: Spread the class weights over the replicas; see :class:`ShardedLinear`.
        sample_rate: Share of the classes in each batch's softmax; below 1 with ``sharded`` only.
        init_cfg: Of the class weights; default :func:`.initial_weights`.
        kwargs: As in mmpretrain's ``LinearClsHead``.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        scale: Scale = None,
        margin: float | dict = 0.0,
        sharded: bool = False,
        sample_rate: float = 1.0,
        init_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        if in_channels < 1:
            raise ValueError(f'in_channels must be >= 1, got {in_channels}')
        check_scale(scale)
        init_cfg = init_cfg or initial_weights(scale, in_channels)
        # LinearClsHead makes weights, which would be the whole matrix in every replica.
        with torch.device('meta') if sharded else nullcontext():
            super().__init__(
                num_classes=num_classes, in_channels=in_channels, init_cfg=init_cfg, **kwargs
            )
        if margin and scale is None:
            raise ValueError(f'margin={margin} is one of cosines: give a scale too')
        self.scale = scale
        self.has_margin = bool(margin)
        self.margin = MODELS.build(margin) if isinstance(margin, dict) else AMSoftmaxMargin(margin)
        self.fc = build_class_weights(
            in_channels, num_classes, init_cfg, sharded, sample_rate, self.cal_acc
        )
        if sharded and not is_plain(self.loss_module):
            raise ValueError(
                f'sharded=True has the cross entropy of one class a sample, got '
                f"loss={kwargs['loss']}: leave it out, or set dict(type='CrossEntropyLoss')"
            )

    def pre_logits(self, feats: tuple[Tensor, ...] | Tensor) -> Tensor:
        """The features (N, D) of the last stage; a bare tensor is them already."""
        return feats if isinstance(feats, Tensor) else feats[-1]

    def forward(self, feats: tuple[Tensor, ...] | Tensor) -> Tensor:
        """The logits (N, C) without margin, in at least float32."""
        features = self.pre_logits(feats)
        with without_autocast(features):
            features = features.to(torch.promote_types(features.dtype, torch.float32))
            weight = whole_weight(self.fc).to(features.dtype)
            if self.scale is None:
                return F.linear(features, weight)
            if self.scale == 'feature':
                return F.linear(features, F.normalize(weight))
            return self.scale * F.linear(F.normalize(features), F.normalize(weight))

    def loss(
        self, feats: tuple[Tensor, ...], data_samples: list[DataSample], **kwargs
    ) -> dict[str, Tensor]:
        """The mean over the batch, as ``dict(loss=...)``.

        Raises:
            ValueError: The batch has soft labels (Mixup, CutMix), and the head a margin or shards.
        """
        if not (self.has_margin or isinstance(self.fc, ShardedLinear)):
            return super().loss(feats, data_samples, **kwargs)
        target, features = hard_targets(data_samples, type(self).__name__), self.pre_logits(feats)
        if isinstance(self.fc, ShardedLinear):
            log_probability, _ = self.fc.target_log_probability(
                features, target, self.scale, self.margin
            )
            return dict(loss=self.loss_module.loss_weight * -log_probability.mean())
        logits = self(feats)
        with without_autocast(logits):
            features = features.to(logits.dtype)
            target_norm = norms_outside_t(features, self.fc.weight, target, self.scale)
            logits, _ = transform_target_logit(logits, target, target_norm, self.margin)
        return self._get_loss(logits, data_samples, **kwargs)


def is_plain(loss: nn.Module) -> bool:
    """Whether a loss is the cross entropy of one class a sample, perhaps times a weight."""
    return (
        type(loss) is CrossEntropyLoss
        and not (loss.use_sigmoid or loss.use_soft)
        and loss.class_weight is None
        and loss.reduction == 'mean'
    )
