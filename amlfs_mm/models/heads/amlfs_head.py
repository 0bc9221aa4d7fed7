"""The softmax head whose loss is searched (the paper's section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmpretrain.evaluation.metrics import Accuracy
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from amlfs_mm.registry import MODELS, TASK_UTILS
from amlfs_mm.search import PiecewiseLinear, find_loss
from amlfs_mm.utils.autocast import without_autocast

from ..layers.logits import (
    Scale,
    bias_free_logits,
    check_scale,
    initial_weights,
    norms_outside_t,
)
from ..layers.sharded_linear import ShardedLinear, build_class_weights, whole_weight
from ..losses import fused_amlfs_loss, log_tau
from .hard_targets import WholeBatchHead, hard_targets


@MODELS.register_module()
class AMLFSHead(WholeBatchHead):
    """A bias-free linear or cosine classifier trained with the loss L^theta (Eq. 4, 16, 17).

    Replaces ``LinearClsHead`` or ``ArcFaceClsHead`` in a config. Without a search it trains with
    the loss ``theta``; a search installs its own.

    Args:
        num_classes: C.
        in_channels: D, the length of a feature.
        num_intervals: M, intervals each of t and tau; short for the default search space.
        scale: None: logits are ``W_j . x``, and ``|W_y| |x|`` stays outside t (Eq. 4). A float s:
            features and class weights are normalised, logits are ``s cos(theta_j)``. ``'feature'``:
            class weights are normalised, logits are ``|x| cos(theta_j)``.
        search_space: Config of another search space, in place of ``num_intervals``.
        theta: The loss: a known one, ``'softmax'`` or ``dict(name='am_softmax', m=0.35)``, or a
            JSON file: one of ``tools/analysis/export_loss.py``, or a search's
            ``loss_schedule.json``, of which its final mu is taken. A checkpoint's theta gives way
            to it. None: the identity, plain softmax, until another is installed or loaded.
        min_slope: A sampled slope below this counts as this (Eq. 15 asks for positive gradients).
        tau_floor: What keeps tau positive: ``relative``, ``max(a p + b, 0.1 a p)``, or
            ``constant``, ``max(a p + b, 0.01)``.
        loss: The replaced head's ``loss`` config, so that a search config may inherit it: plain
            ``CrossEntropyLoss``, of which the ``loss_weight`` is kept.
        sharded: Spread the class weights over the replicas; see :class:`ShardedLinear`.
        sample_rate: Share of the classes in each batch's softmax; below 1 with ``sharded`` only.
        topk: Accuracies reported by ``cal_acc``.
        cal_acc: Report the training accuracy (of the untransformed logits).
        init_cfg: Of the class weights; default :func:`.initial_weights`.
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
        loss: dict = dict(type='CrossEntropyLoss', loss_weight=1.0),
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
        self.loss_weight = plain_loss_weight(loss)
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.scale = scale
        self.min_slope = min_slope
        self.tau_floor = tau_floor
        self.search_space = TASK_UTILS.build(
            search_space or dict(type='amlfs_mm.SearchSpace', num_intervals=num_intervals)
        )
        self.fc = build_class_weights(
            in_channels, num_classes, init_cfg, sharded, sample_rate, cal_acc
        )
        self.theta_is_given = theta is not None
        start = find_loss(self.search_space, theta) if theta else self.search_space.identity()
        self.register_buffer('theta', start)
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
        """Train with this loss from now on, and count intervals anew.

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

    def transforms(self) -> tuple[PiecewiseLinear, PiecewiseLinear]:
        """t and tau of theta; they are made anew only when theta is another or was written to."""
        made_of, version, made = self._transforms or (None, 0, None)
        if made_of is not self.theta or version != self.theta._version:
            made = self.search_space.transforms(self.theta, self.min_slope)
            self._transforms = self.theta, self.theta._version, made
        return made

    def __getstate__(self) -> dict:
        # The theta of a copy counts its versions anew.
        return self.__dict__ | dict(_transforms=None)

    def interval_counts(self) -> dict[str, Tensor]:
        """Training samples seen in each interval of t and tau, (M,) each, with this theta."""
        return dict(t=self.t_count, tau=self.tau_count)

    def pre_logits(self, feats: tuple[Tensor, ...] | Tensor) -> Tensor:
        """The features (N, D) of the last stage; a bare tensor is them already."""
        return feats if isinstance(feats, Tensor) else feats[-1]

    def forward(self, feats: tuple[Tensor, ...] | Tensor) -> Tensor:
        """The untransformed logits (N, C) in at least float32; they never depend on theta."""
        features = self.pre_logits(feats)
        with without_autocast(features):
            return bias_free_logits(features, whole_weight(self.fc), self.scale)[0]

    def loss(
        self, feats: tuple[Tensor, ...], data_samples: Sequence[DataSample], **kwargs
    ) -> dict[str, Tensor]:
        """The mean over the batch of the searched loss (Eq. 16), as ``dict(loss=...)``.

        Raises:
            ValueError: The batch has soft labels (Mixup, CutMix).
        """
        target = hard_targets(data_samples, type(self).__name__)
        features = self.pre_logits(feats)
        if isinstance(self.fc, ShardedLinear):
            per_sample = self.per_sample_loss_of_shards(features, target)
            return dict(loss=self._weighted_mean(per_sample))
        with without_autocast(features):
            logits, features = bias_free_logits(features, self.fc.weight, self.scale)
            per_sample = self.per_sample_loss(logits, features, target)
        losses = dict(loss=self._weighted_mean(per_sample))
        if self.cal_acc:
            # Without thresholds: the default one, 0, counts negative logits as wrong.
            accuracy = Accuracy.calculate(logits, target, topk=self.topk, thrs=(None,))
            losses.update(
                {f'accuracy_top-{k}': a for k, a in zip(self.topk, accuracy, strict=True)}
            )
        return losses

    def per_sample_loss(self, logits: Tensor, features: Tensor, target: Tensor) -> Tensor:
        """The loss (N,) of each sample, given untransformed logits (N, C) and features (N, D)."""
        target_norm = norms_outside_t(features, self.fc.weight, target, self.scale)
        t, tau = self.transforms()
        found = fused_amlfs_loss(logits, target, target_norm, t, tau, self.tau_floor)
        self._count(found.t_interval, found.tau_interval)
        return found.loss

    def per_sample_loss_of_shards(self, features: Tensor, target: Tensor) -> Tensor:
        """The same loss (N,) from features (N, D), of class weights spread over the replicas."""
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
            # Unlike bincount, no host sync.
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


def plain_loss_weight(loss: dict) -> float:
    """The weight of an inherited cross entropy; a ValueError if it is more than that."""
    options = dict(loss)
    kind, weight = options.pop('type', None), options.pop('loss_weight', 1.0)
    if kind not in ('CrossEntropyLoss', 'mmpretrain.CrossEntropyLoss') or options:
        raise ValueError(
            f'AMLFSHead replaces plain cross entropy, but the config it inherits has loss={loss}: '
            "start from a baseline with loss=dict(type='CrossEntropyLoss'), or set the head with "
            '_delete_=True'
        )
    return float(weight)
