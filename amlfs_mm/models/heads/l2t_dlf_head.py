"""The classification head whose loss a teacher gives in every step (L2T-DLF)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from amlfs_mm.registry import MODELS
from amlfs_mm.utils.autocast import without_autocast

from ..layers.ranks import target_rank
from ..losses import l2t_dlf_loss
from .accuracy import training_accuracy
from .amlfs_head import plain_loss_weight
from .hard_targets import WholeBatchHead
from .labels import Labels


@MODELS.register_module()
class L2TDLFHead(WholeBatchHead, LinearClsHead):
    """mmpretrain's linear classifier, trained with ``-sigma(y^T W log p + b)``.

    :class:`amlfs_mm.L2TDLFLoop` sets phi = [W | b] in every training step. Without this loop the
    head trains with the phi that it starts with, or with that of a checkpoint. Predictions do not
    depend on phi. The classifier and its initial weights are those of ``LinearClsHead``.

    See :func:`.l2t_dlf_loss` for the loss and its source.

    Args:
        num_classes: C.
        in_channels: D, the length of a feature.
        bias: The start of b, one number for all classes. W starts at the identity.
        loss: The ``loss`` config of the head that this one replaces. It must be plain
            ``CrossEntropyLoss``. Its ``loss_weight`` counts.
        topk: The k of the accuracies that ``cal_acc`` reports.
        cal_acc: Report the training accuracy.
        init_cfg: Of the classifier; default as in mmpretrain.

    Raises:
        ValueError: An option is out of its range.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        bias: float = 0.0,
        loss: dict = dict(type='CrossEntropyLoss', loss_weight=1.0),
        topk: int | Sequence[int] = (1,),
        cal_acc: bool = False,
        init_cfg: dict | None = dict(type='Normal', layer='Linear', std=0.01),
    ) -> None:
        if num_classes < 2 or in_channels < 1:
            raise ValueError(
                f'num_classes must be >= 2 and in_channels >= 1, got {num_classes}, {in_channels}'
            )
        # ClsHead insists on building a loss module; ours needs phi too.
        super().__init__(
            num_classes=num_classes,
            in_channels=in_channels,
            loss=nn.Identity(),
            topk=topk,
            cal_acc=cal_acc,
            init_cfg=init_cfg,
        )
        self.loss_weight = plain_loss_weight(loss, type(self).__name__)
        self.labels = Labels(num_classes, type(self).__name__)
        start = torch.cat([torch.eye(num_classes), torch.full((num_classes, 1), float(bias))], 1)
        self.register_buffer('phi', start)
        for name in ('num_correct', 'num_seen'):
            zero = torch.zeros((), dtype=torch.int64)
            self.register_buffer(name, zero, persistent=False)

    @torch.no_grad()
    def set_phi(self, phi: Tensor) -> None:
        """Train with these coefficients [W | b], (C, C + 1), from now on.

        Raises:
            ValueError: They have another shape.
        """
        if phi.shape != self.phi.shape:
            raise ValueError(
                f'phi has shape {tuple(phi.shape)}, but {self.num_classes} classes need '
                f'{tuple(self.phi.shape)}'
            )
        self.phi.copy_(phi)

    def take_training_accuracy(self) -> Tensor:
        """The share of training samples, in [0, 1], classified rightly since the last call; ()."""
        accuracy = self.num_correct / self.num_seen.clamp(min=1)
        self.num_correct.zero_()
        self.num_seen.zero_()
        return accuracy

    def logits_and_target(
        self, feats: tuple[Tensor, ...] | Tensor, data_samples: Sequence[DataSample]
    ) -> tuple[Tensor, Tensor]:
        """The logits (N, C) and the classes (N,) of a batch."""
        return self(feats), self.labels(data_samples)

    def loss(
        self, feats: tuple[Tensor, ...], data_samples: Sequence[DataSample], **kwargs
    ) -> dict[str, Tensor]:
        """The mean of the loss over the batch, as ``dict(loss=...)``.

        With ``cal_acc`` also ``accuracy_top-<k>``, in percent.

        Raises:
            ValueError: The features have another shape, or the batch has soft labels (Mixup,
                CutMix), no labels, or one that is no class.
        """
        logits, target = self.logits_and_target(feats, data_samples)
        with without_autocast(logits):
            logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
            per_sample = l2t_dlf_loss(logits, target, self.phi)
        losses = dict(loss=self.loss_weight * per_sample.mean())
        if self.training:
            self.num_correct += (logits.detach().argmax(dim=1) == target).sum()
            self.num_seen += len(target)
        if self.cal_acc:
            losses |= training_accuracy(target_rank(logits, target), self.topk)
        return losses
