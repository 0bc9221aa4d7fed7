"""Softmax classifiers without bias: plain, of cosines (sphere softmax), and with a margin."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.models.losses import CrossEntropyLoss
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from amlfs_mm.registry import MODELS
from amlfs_mm.utils.autocast import without_autocast

from ..layers.logits import (
    Scale,
    bias_free_logits,
    check_scale,
    initial_weights,
    norms_outside_t,
)
from ..layers.ranks import target_rank
from ..layers.sharded_linear import ShardedLinear, build_class_weights, whole_weight
from ..losses import AMSoftmaxMargin, transform_target_logit
from .accuracy import training_accuracy
from .hard_targets import WholeBatchHead, is_whole
from .labels import Labels


@MODELS.register_module()
class SoftmaxHead(WholeBatchHead, LinearClsHead):
    """A hand-made loss in place of the searched one of :class:`amlfs_mm.AMLFSHead`.

    Without a margin it equals ``AMLFSHead`` at the identity. Logits are ``W_j . x``, or with a
    scale s ``s cos(theta_j)``: SphereReID's sphere softmax (arXiv 1807.00537). A margin replaces
    the target's ``s cos(theta_y)`` by ``s t(cos(theta_y))`` in the loss. Margins are
    ``AMSoftmaxMargin``, ``ArcFaceMargin``, and with ``scale='feature'`` (logits
    ``|x| cos(theta_j)``) ``ASoftmaxMargin``.

    Args:
        num_classes: C.
        in_channels: D.
        scale: None for the plain classifier, s, or ``'feature'``.
        margin: Config of a margin, or a number m for ``AMSoftmaxMargin``. It needs a scale.
        sharded: Spread the class weights over the replicas; see :class:`ShardedLinear`.
        sample_rate: Share of the classes in each batch's softmax; below 1 with ``sharded`` only.
        init_cfg: Of the class weights; default :func:`.initial_weights`.
        kwargs: As in mmpretrain's ``LinearClsHead``. With ``cal_acc`` the training accuracy is
            that of the logits without margin, as in ``AMLFSHead``.

    Raises:
        ValueError: An option is out of its range, or options do not go together.
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
        # LinearClsHead makes the whole matrix. On the meta device it takes no memory.
        with torch.device('meta') if sharded else nullcontext():
            super().__init__(
                num_classes=num_classes, in_channels=in_channels, init_cfg=init_cfg, **kwargs
            )
        if margin and scale is None:
            raise ValueError(f'margin={margin} is one of cosines: give a scale too')
        self.scale = scale
        self.has_margin = bool(margin)
        self.margin = MODELS.build(margin) if isinstance(margin, dict) else AMSoftmaxMargin(margin)
        self.fc = build_class_weights(in_channels, num_classes, init_cfg, sharded, sample_rate)
        self.labels = Labels(num_classes, type(self).__name__)
        if sharded and not is_plain(self.loss_module):
            raise ValueError(
                f'sharded=True has the cross entropy of one class a sample, got '
                f"loss={kwargs['loss']}: leave it out, or set dict(type='CrossEntropyLoss')"
            )

    def forward(self, feats: tuple[Tensor, ...] | Tensor) -> Tensor:
        """The logits (N, C) without margin, in float32 or wider."""
        features = self.pre_logits(feats)
        with without_autocast(features):
            return bias_free_logits(features, whole_weight(self.fc), self.scale)[0]

    def loss(
        self, feats: tuple[Tensor, ...], data_samples: list[DataSample], **kwargs
    ) -> dict[str, Tensor]:
        """The mean of the loss over the batch, as ``dict(loss=...)``.

        With ``cal_acc`` also ``accuracy_top-<k>``, in percent. Soft labels (Mixup, CutMix) are
        for the plain head: without a margin, and with whole class weights.

        Raises:
            ValueError: The features have another shape, or the batch has labels that the head
                cannot take: soft ones, none, or one that is no class.
        """
        features = self.pre_logits(feats)
        sharded = isinstance(self.fc, ShardedLinear)
        soft = not is_whole(data_samples) and 'gt_score' in data_samples[0]
        if soft and not (self.has_margin or sharded):
            return super().loss(feats, data_samples, **kwargs)
        target = self.labels(data_samples)
        if sharded:
            return self._loss_of_shards(features, target)
        logits = self(features)
        losses = dict(loss=self._loss_of(logits, features, target, **kwargs))
        if self.cal_acc:
            losses |= training_accuracy(target_rank(logits, target), self.topk)
        return losses

    def _loss_of(self, logits: Tensor, features: Tensor, target: Tensor, **kwargs) -> Tensor:
        if self.has_margin:
            with without_autocast(logits):
                features = features.to(logits.dtype)
                target_norm = norms_outside_t(features, self.fc.weight, target, self.scale)
                logits, _ = transform_target_logit(logits, target, target_norm, self.margin)
        return self.loss_module(logits, target, avg_factor=len(logits), **kwargs)

    def _loss_of_shards(self, features: Tensor, target: Tensor) -> dict[str, Tensor]:
        log_probability, _ = self.fc.target_log_probability(
            features, target, self.scale, self.margin
        )
        losses = dict(loss=self.loss_module.loss_weight * -log_probability.mean())
        if self.cal_acc:
            rank = self.fc.target_rank(features, target, self.scale)
            losses |= training_accuracy(rank, self.topk)
        return losses


def is_plain(loss: nn.Module) -> bool:
    """Whether a loss module is the mean cross entropy of one class a sample, times a weight."""
    return (
        type(loss) is CrossEntropyLoss
        and not (loss.use_sigmoid or loss.use_soft)
        and loss.class_weight is None
        and loss.reduction == 'mean'
    )
