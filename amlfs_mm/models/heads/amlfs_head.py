"""The classification head whose loss is searched (section 3.3 of the paper)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import torch
from mmengine.logging import print_log
from mmpretrain.models.losses import CrossEntropyLoss
from mmpretrain.registry import MODELS as MMPRETRAIN_MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from amlfs_mm.registry import MODELS, TASK_UTILS
from amlfs_mm.search import find_loss, protocols
from amlfs_mm.search.loss_file import describe_another_head
from amlfs_mm.utils.autocast import without_autocast
from amlfs_mm.utils.config_types import resolves_to

from ..layers.logits import (
    Scale,
    bias_free_logits,
    check_scale,
    initial_weights,
    norms_outside_t,
)
from ..layers.ranks import target_rank
from ..layers.sharded_linear import ShardedLinear, build_class_weights, whole_weight
from ..losses import fused_amlfs_loss, log_tau
from .accuracy import training_accuracy
from .hard_targets import WholeBatchHead
from .labels import Labels


@MODELS.register_module()
class AMLFSHead(WholeBatchHead):
    """A bias-free linear or cosine classifier trained with the loss L^theta (Eq. 4, 16, 17).

    It replaces ``LinearClsHead`` or ``ArcFaceClsHead`` in a config. Without a search it trains
    with the loss ``theta``. A search installs a theta for each round.

    Args:
        num_classes: C.
        in_channels: D, the length of a feature.
        num_intervals: M, the intervals of t and of tau in the default search space.
        scale: None: logits are ``W_j . x``, and ``|W_y| |x|`` stays outside t (Eq. 4). A float s:
            features and class weights are normalised, logits are ``s cos(theta_j)``. ``'feature'``:
            class weights are normalised, logits are ``|x| cos(theta_j)``.
        search_space: Config of another search space. It takes the place of ``num_intervals``.
        theta: The loss. A known one: ``'softmax'`` or ``dict(name='am_softmax', m=0.35)``. Or a
            JSON file: of ``tools/analysis/export_loss.py``, or the ``loss_schedule.json`` of a
            search, whose final mu is taken; ``'zoo:NAME'`` is the file of this name in the zoo. It
            has precedence over the theta of a checkpoint.
            None: plain softmax, until a search or a checkpoint gives another.
        min_slope: A sampled slope below this counts as this (Eq. 15 asks for positive gradients).
        tau_floor: What keeps tau positive. ``relative``: ``max(a p + b, 0.1 a p)``. ``constant``:
            ``max(a p + b, 0.01)``.
        loss: The ``loss`` config of the head that this one replaces, so that a search config can
            inherit from a baseline. It must be plain ``CrossEntropyLoss``. Its ``loss_weight``
            counts. ``loss='zoo:NAME'`` is short for ``theta='zoo:NAME'``.
        sharded: Spread the class weights over the replicas; see :class:`ShardedLinear`.
        sample_rate: Share of the classes in each batch's softmax; below 1 with ``sharded`` only.
        topk: The k of the accuracies that ``cal_acc`` reports.
        cal_acc: Report the training accuracy. It is that of the untransformed logits.
        init_cfg: Of the class weights; default :func:`.initial_weights`.

    Raises:
        ValueError: An option is out of its range, or options do not go together.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        num_intervals: int = 6,
        scale: Scale = None,
        search_space: dict | None = None,
        theta: str | dict | None = None,
        min_slope: float = 0.01,
        tau_floor: str = 'relative',
        loss: dict | str = dict(type='CrossEntropyLoss', loss_weight=1.0),
        sharded: bool = False,
        sample_rate: float = 1.0,
        topk: int | Sequence[int] = (1,),
        cal_acc: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        if num_classes < 2 or in_channels < 1:
            raise ValueError(
                f'num_classes must be >= 2 and in_channels >= 1, got {num_classes}, {in_channels}'
            )
        check_scale(scale)
        init_cfg = init_cfg or initial_weights(scale, in_channels)
        # ClsHead insists on building a loss module; ours needs more than (logits, target).
        super().__init__(loss=nn.Identity(), topk=topk, cal_acc=cal_acc, init_cfg=init_cfg)
        if tau_floor not in ('relative', 'constant'):
            raise ValueError(f"tau_floor must be 'relative' or 'constant', got {tau_floor!r}")
        if not min_slope > 0:
            raise ValueError(f'min_slope must be positive, got {min_slope}')
        if isinstance(loss, str):
            if theta is not None:
                raise ValueError(f'loss={loss!r} and theta={theta!r}: give one of them')
            loss, theta = dict(type='CrossEntropyLoss'), loss
        self.loss_weight = plain_loss_weight(loss)
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.scale = scale
        self.min_slope = min_slope
        self.tau_floor = tau_floor
        self.search_space = TASK_UTILS.build(
            search_space or dict(type='amlfs_mm.SearchSpace', num_intervals=num_intervals)
        )
        self.fc = build_class_weights(in_channels, num_classes, init_cfg, sharded, sample_rate)
        self.labels = Labels(num_classes, type(self).__name__)
        self.theta_is_given = theta is not None
        start = find_loss(self.search_space, theta) if theta else self.search_space.identity()
        self.register_buffer('theta', start)
        for text in describe_another_head(theta, self) if theta else ():
            print_log(text, logger='current', level=logging.WARNING)
        self._transforms: tuple | None = None
        t, tau = self.search_space.transforms(self.theta)
        self.register_buffer(
            't_count', torch.zeros(t.num_intervals, dtype=torch.int64), persistent=False
        )
        self.register_buffer(
            'tau_count', torch.zeros(tau.num_intervals, dtype=torch.int64), persistent=False
        )

    @torch.no_grad()
    def set_theta(self, theta: Tensor) -> None:
        """Train with this loss from now on, and start the interval counts at 0.

        Raises:
            ValueError: theta is not a vector of the search space's length.
        """
        if theta.shape != self.theta.shape:
            raise ValueError(
                f'theta has shape {tuple(theta.shape)}, but {self.search_space} needs '
                f'{tuple(self.theta.shape)}'
            )
        self.theta.copy_(theta)
        self.t_count.zero_()
        self.tau_count.zero_()

    def transforms(self) -> tuple[protocols.Transform, protocols.Transform]:
        """t and tau of theta. They are kept until theta is replaced or written to."""
        made_of, version, made = self._transforms or (None, 0, None)
        if made_of is not self.theta or version != self.theta._version:
            made = self.search_space.transforms(self.theta, self.min_slope)
            self._transforms = self.theta, self.theta._version, made
        return made

    def __getstate__(self) -> dict:
        # The version of a copied theta starts at 0, so what was made of the original is dropped.
        return self.__dict__ | dict(_transforms=None)

    def interval_counts(self) -> dict[str, Tensor]:
        """Training samples that were in each interval of t and tau, (M,) each, with this theta."""
        return dict(t=self.t_count, tau=self.tau_count)

    def forward(self, feats: tuple[Tensor, ...] | Tensor) -> Tensor:
        """The untransformed logits (N, C) in float32 or wider. They do not depend on theta."""
        features = self.pre_logits(feats)
        with without_autocast(features):
            return bias_free_logits(features, whole_weight(self.fc), self.scale)[0]

    def loss(
        self, feats: tuple[Tensor, ...], data_samples: Sequence[DataSample], **kwargs
    ) -> dict[str, Tensor]:
        """The mean over the batch of the searched loss (Eq. 16), as ``dict(loss=...)``.

        With ``cal_acc`` also ``accuracy_top-<k>``, in percent.

        Raises:
            ValueError: The features have another shape, or the batch has soft labels (Mixup,
                CutMix), no labels, or one that is no class.
        """
        features = self.pre_logits(feats)
        target = self.labels(data_samples)
        if isinstance(self.fc, ShardedLinear):
            losses = dict(
                loss=self._weighted_mean(self.per_sample_loss_of_shards(features, target))
            )
            if self.cal_acc:
                rank = self.fc.target_rank(features, target, self.scale)
                losses |= training_accuracy(rank, self.topk)
            return losses
        with without_autocast(features):
            logits, features = bias_free_logits(features, self.fc.weight, self.scale)
            per_sample = self.per_sample_loss(logits, features, target)
        losses = dict(loss=self._weighted_mean(per_sample))
        if self.cal_acc:
            losses |= training_accuracy(target_rank(logits, target), self.topk)
        return losses

    def per_sample_loss(self, logits: Tensor, features: Tensor, target: Tensor) -> Tensor:
        """The loss (N,) of each sample.

        Args:
            logits: (N, C) untransformed.
            features: (N, D) in the type of the logits.
            target: (N,) classes.
        """
        target_norm = norms_outside_t(features, self.fc.weight, target, self.scale)
        t, tau = self.transforms()
        found = fused_amlfs_loss(logits, target, target_norm, t, tau, self.tau_floor)
        self._count(found.t_interval, found.tau_interval)
        return found.loss

    def per_sample_loss_of_shards(self, features: Tensor, target: Tensor) -> Tensor:
        """The loss (N,) of each sample, with class weights that are spread over the replicas.

        Args:
            features: (N, D).
            target: (N,) classes.
        """
        t, tau = self.transforms()
        log_probability, cosine = self.fc.target_log_probability(features, target, self.scale, t)
        self._count(t.locate(cosine), tau.locate(log_probability.exp()))
        with without_autocast(features):
            return -log_tau(log_probability, tau, self.tau_floor)

    def _weighted_mean(self, per_sample: Tensor) -> Tensor:
        mean = per_sample.mean()
        return mean if self.loss_weight == 1 else self.loss_weight * mean

    def _count(self, t_interval: Tensor, tau_interval: Tensor) -> None:
        if self.training:
            # bincount would make the host wait for a GPU.
            ones = torch.ones_like(t_interval)
            self.t_count.scatter_add_(0, t_interval, ones)
            self.tau_count.scatter_add_(0, tau_interval, ones)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args) -> None:
        saved = state_dict.get(prefix + 'theta')
        if saved is not None and saved.shape != self.theta.shape:
            raise ValueError(
                f'the checkpoint belongs to another search space: its {prefix}theta has '
                f'{saved.numel()} numbers, {self.search_space} needs {self.theta.numel()}. Set the '
                "head's num_intervals (4 numbers each) or search_space to the checkpoint's"
            )
        if saved is not None and self.theta_is_given:
            state_dict[prefix + 'theta'] = self.theta
        super()._load_from_state_dict(state_dict, prefix, *args)


def plain_loss_weight(loss: dict, name: str = 'AMLFSHead') -> float:
    """The ``loss_weight`` of an inherited cross entropy.

    Args:
        loss: The config.
        name: Of the head, for the message.

    Raises:
        ValueError: The config is not plain cross entropy.
    """
    options = dict(loss)
    kind, weight = options.pop('type', None), options.pop('loss_weight', 1.0)
    # 'CrossEntropyLoss', 'mmpretrain.CrossEntropyLoss' and the class itself are the same.
    plain = kind is not None and resolves_to(
        kind, MMPRETRAIN_MODELS, CrossEntropyLoss, exactly=True
    )
    if not plain or options:
        raise ValueError(
            f'{name} replaces plain cross entropy, but the config it inherits has loss={loss}: '
            "start from a baseline with loss=dict(type='CrossEntropyLoss'), or set the head with "
            '_delete_=True'
        )
    return float(weight)
