"""Class weights spread over the replicas of a candidate, for up to millions of identities."""

from __future__ import annotations

import math

import torch
import torch.distributed as dist
from mmengine.dist import get_rank, get_world_size
from mmengine.model import NormalInit
from mmengine.registry import WEIGHT_INITIALIZERS
from torch import Tensor, nn
from torch.distributed.nn.functional import all_gather, all_reduce

from amlfs_mm.search.protocols import Tangent
from amlfs_mm.utils.autocast import without_autocast
from amlfs_mm.utils.config_types import resolves_to

from ..losses.reference_loss import transform
from .logits import Scale, bias_free_logits, norms_outside_t
from .ranks import count_before

CLASSES_AT_ONCE = 1024
"""Classes whose first weights are drawn at a time. Other numbers draw other weights."""


class ShardedLinear(nn.Module):
    """Class weights (C, D) without bias. Each replica holds and trains about C / replicas rows.

    This is the model parallelism of insightface's Partial FC (An et al. 2021, arXiv 2010.05222).
    Every replica multiplies the features of all replicas with its own classes. t changes only the
    target's logit, and tau needs only the target's probability. So one maximum and one sum over
    the replicas complete the loss. Loss and gradients equal those of a whole layer under DDP. All
    replicas need batches of one size.

    With a ``sample_rate`` r below 1, the softmax of a batch runs over the classes of its targets
    and a random choice of others: r of each replica's classes, or as many as the batch has
    samples, if that is more. Classes that are not chosen have the gradient 0 in that batch. The
    optimizer does not know of the choice: their momentum and weight decay go on.

    ``LossSearchRunner`` keeps the weights out of DDP and saves checkpoints with the whole weights.
    From such a checkpoint each replica loads its own rows, for any number of replicas. With other
    runners, ``state_dict`` has no weight if there are several replicas.

    Attributes:
        class_range: The classes of this replica.
        weight: (C / replicas, D), their weights.

    Args:
        in_features: D.
        out_features: C.
        std: The weights start at N(0, std^2). They do not depend on the number of replicas.
        sample_rate: r, in (0, 1].

    Raises:
        ValueError: There are fewer classes than replicas, or the rate is out of its range.
    """

    def __init__(
        self, in_features: int, out_features: int, std: float = 0.01, sample_rate: float = 1.0
    ) -> None:
        super().__init__()
        self.replicas, self.replica = get_world_size(), get_rank()
        if out_features < self.replicas:
            raise ValueError(
                f'{out_features} classes cannot be spread over {self.replicas} replicas: lower '
                'loss_search.replicas_per_candidate, or set sharded=False'
            )
        if not 0 < sample_rate <= 1:
            raise ValueError(f'sample_rate must be in (0, 1], got {sample_rate}')
        self.in_features = in_features
        self.num_classes = out_features
        self.std = std
        self.sample_rate = sample_rate
        self.class_range = self.class_range_of(self.replica)
        self.weight = nn.Parameter(torch.empty(len(self.class_range), in_features))
        self.init_weights()

    def class_range_of(self, replica: int) -> range:
        """The classes of a replica. Two replicas differ by one class at most."""
        first, end = (self.num_classes * r // self.replicas for r in (replica, replica + 1))
        return range(first, end)

    @torch.no_grad()
    def init_weights(self) -> None:
        """Draw the weights of all classes from the CPU's generator and keep this replica's."""
        own = self.class_range
        for first in range(0, self.num_classes, CLASSES_AT_ONCE):
            rows = min(CLASSES_AT_ONCE, self.num_classes - first)
            block = torch.empty(rows, self.in_features).normal_(std=self.std)
            start, end = max(first, own.start), min(first + rows, own.stop)
            if start < end:
                drawn = block[start - first : end - first]
                self.weight[start - own.start : end - own.start] = drawn

    def target_log_probability(
        self, features: Tensor, target: Tensor, scale: Scale, t: Tangent
    ) -> tuple[Tensor, Tensor]:
        """The log probability of each sample's class after t (Eq. 4), and its cosine before.

        Args:
            features: (N, D) of this replica's batch.
            target: (N,) its classes, in [0, C).
            scale: As in :mod:`.logits`.
            t: The transform of the target's cosine.

        Returns:
            Both (N,) in at least float32; the cosine has no gradient.

        Raises:
            RuntimeError: DDP would average the replicas' different weights.
        """
        if self.replicas > 1 and not getattr(self.weight, '_ddp_ignored', False):
            raise RuntimeError(
                'sharded=True needs a runner that keeps the class weights out of DDP: set '
                "runner_type='amlfs_mm.LossSearchRunner' (without a search, too)"
            )
        with without_autocast(features):
            features, target = self._gather(features), self._gather(target)
            # Weights take the mean of the replicas' gradients, as under DDP; features their own.
            _scale_gradient(features, self.replicas)
            row = target - self.class_range.start
            mine = (row >= 0) & (row < len(self.class_range))
            weight, row = self._choose_classes(row.where(mine, 0), mine)

            logits, features = bias_free_logits(features, weight, scale)
            target_logit = logits.gather(1, row[:, None]).squeeze(1)
            target_norm = norms_outside_t(features, weight, row, scale)
            transformed, cosine = transform(target_logit, target_norm, t)
            held = torch.where(mine, transformed, target_logit)
            logits = logits.scatter(1, row[:, None], held[:, None])

            largest = logits.detach().amax(1)
            if self.replicas > 1:
                dist.all_reduce(largest, dist.ReduceOp.MAX)
            exponentials = (logits - largest[:, None]).exp().sum(1)
            transformed, cosine = transformed.where(mine, 0), cosine.where(mine, 0)
            sums = torch.stack([exponentials, transformed, cosine])
            if self.replicas > 1:
                sums = all_reduce(sums, group=dist.group.WORLD)
            _scale_gradient(sums, 1 / self.replicas)
            total, target_logit, cosine = sums.chunk(self.replicas, dim=1)[self.replica]
            largest = largest.chunk(self.replicas)[self.replica]
            return target_logit - largest - total.log(), cosine.detach()

    @torch.no_grad()
    def target_rank(self, features: Tensor, target: Tensor, scale: Scale) -> Tensor:
        """The place (N,) of each target among all classes' logits, from 0, for the accuracy.

        As :func:`.ranks.target_rank` of the whole logits, also with a ``sample_rate`` below 1.
        It costs one more product of features and weights.

        Args:
            features: (N, D) of this replica's batch.
            target: (N,) its classes, in [0, C).
            scale: As in :mod:`.logits`.
        """
        with without_autocast(features):
            features, target = self._gather(features.detach()), self._gather(target)
            logits, _ = bias_free_logits(features, self.weight, scale)
            row = target - self.class_range.start
            mine = (row >= 0) & (row < len(self.class_range))
            target_logit = logits.gather(1, row.where(mine, 0)[:, None]).squeeze(1).where(mine, 0)
            if self.replicas > 1:
                dist.all_reduce(target_logit)
            own = torch.arange(self.class_range.start, self.class_range.stop, device=target.device)
            rank = count_before(logits, own, target_logit, target)
            if self.replicas > 1:
                dist.all_reduce(rank)
            return rank.chunk(self.replicas)[self.replica]

    def _gather(self, own: Tensor) -> Tensor:
        """The rows of all replicas, in the order of the replicas."""
        return own if self.replicas == 1 else torch.cat(all_gather(own, group=dist.group.WORLD))

    def _choose_classes(self, row: Tensor, mine: Tensor) -> tuple[Tensor, Tensor]:
        """Weights (K, D) of a batch's classes, and the row (N,) of each sample's class in them.

        Args:
            row: (N,) of each sample's class in this replica's weights.
            mine: (N,) whether this replica holds the class.
        """
        held = len(self.class_range)
        # At least as many as samples: all their classes fit, and the host need not wait to see.
        kept = min(held, max(math.ceil(self.sample_rate * held), len(row)))
        if not self.training or kept == held:
            return self.weight, row
        order = torch.rand(held, device=row.device)
        order.scatter_reduce_(0, row, 2.0 * mine, 'amax')  # the targets come first
        chosen = order.topk(kept).indices.sort().values
        position = torch.searchsorted(chosen, row).clamp(max=kept - 1)
        return self.weight.index_select(0, chosen), position

    def _save_to_state_dict(self, destination: dict, prefix: str, keep_vars: bool) -> None:
        if len(self.weight) == self.num_classes:
            super()._save_to_state_dict(destination, prefix, keep_vars)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args) -> None:
        whole, errors = state_dict.get(prefix + 'weight'), args[-1]
        if whole is not None:
            if whole.shape != (self.num_classes, self.in_features):
                errors.append(
                    f'size mismatch for {prefix}weight: the checkpoint has {tuple(whole.shape)}, '
                    f'the head ({self.num_classes}, {self.in_features}) over all replicas'
                )
                return
            own = whole[self.class_range.start : self.class_range.stop]
            state_dict = {**state_dict, prefix + 'weight': own}
        super()._load_from_state_dict(state_dict, prefix, *args)


def build_class_weights(
    in_channels: int,
    num_classes: int,
    init_cfg: dict | None,
    sharded: bool,
    sample_rate: float,
) -> nn.Linear | ShardedLinear:
    """A head's ``fc``: a whole linear layer without bias, or a :class:`ShardedLinear`.

    Args:
        in_channels: D.
        num_classes: C.
        init_cfg: The head's; with ``sharded``, None or a normal distribution.
        sharded: Spread the weights over the replicas.
        sample_rate: As in :class:`ShardedLinear`; below 1 with ``sharded`` only.

    Raises:
        ValueError: The options do not go together.
    """
    if not sharded:
        if sample_rate != 1:
            raise ValueError(f'sample_rate={sample_rate} needs sharded=True')
        return nn.Linear(in_channels, num_classes, bias=False)
    options = dict(init_cfg or {})
    normal = resolves_to(options.pop('type', 'Normal'), WEIGHT_INITIALIZERS, NormalInit)
    if init_cfg is None or not normal or set(options) - {'layer', 'std'}:
        raise ValueError(
            f'sharded=True starts at a normal distribution, but init_cfg={init_cfg}: set '
            "init_cfg=dict(type='Normal', layer='Linear', std=0.01)"
        )
    return ShardedLinear(in_channels, num_classes, options.get('std', 1.0), sample_rate)


def whole_weight(fc: nn.Linear | ShardedLinear) -> Tensor:
    """The weights (C, D) of all classes.

    Raises:
        RuntimeError: The weights are spread over several replicas.
    """
    if isinstance(fc, ShardedLinear) and fc.replicas > 1:
        raise RuntimeError(
            f'the class weights are spread over {fc.replicas} replicas, so that '
            'there are no logits but in the loss: evaluate features (EmbeddingClassifier), or use '
            'one process'
        )
    return fc.weight


def _scale_gradient(x: Tensor, factor: float) -> None:
    if x.requires_grad and factor != 1:
        x.register_hook(lambda gradient: gradient * factor)
