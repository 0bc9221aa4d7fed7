"""The eight softmax losses and three triplet losses of MGN."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from amlfs_mm.registry import MODELS
from amlfs_mm.search import BranchSearchSpace, find_loss

from ..layers.inputs import describe
from ..necks import MGNFeatures
from .hard_targets import hard_targets


@MODELS.register_module()
class MGNHead(BaseModule):
    """Softmax losses on the pooled features and the stripes, triplet losses on the reduced ones.

    Wang et al., ACM MM 2018 (arXiv 1804.01438), Fig. 3. With branches of 1, 2 and 3 stripes there
    are 8 classifiers, on 3 features of 2048 numbers and 5 of 256, and 3 triplet losses on 256
    numbers. The figure gives no weights, and public re-implementations differ. Here the loss is the
    mean of the softmax losses plus the mean of the triplet losses. ``loss_weight`` of either part
    changes that. The test feature is all reduced features in a row, 8 x 256 numbers.

    With ``classifier=dict(type='amlfs_mm.AMLFSHead')`` a search gives all classifiers one theta.
    The triplet losses are not searched. :class:`PerBranchMGNHead` gives each classifier its own
    theta.

    Args:
        num_classes: C.
        classifier: Config of a head: ``SoftmaxHead`` or ``AMLFSHead``.
        triplet: Config of the triplet loss.
        in_channels: Length of a pooled feature.
        reduced_channels: Length of a reduced feature.
        num_branches: Number of branches, each with one whole map.
        num_stripes: Number of stripes of all branches; both numbers are those of the neck.
        init_cfg: As in mmengine's ``BaseModule``.
    """

    def __init__(
        self,
        num_classes: int,
        classifier: dict = dict(type='amlfs_mm.SoftmaxHead'),
        triplet: dict = dict(type='amlfs_mm.BatchHardTripletLoss', margin=1.2),
        in_channels: int = 2048,
        reduced_channels: int = 256,
        num_branches: int = 3,
        num_stripes: int = 5,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.classifiers = nn.ModuleList(
            MODELS.build(dict(classifier, num_classes=num_classes, in_channels=channels))
            for channels in [in_channels] * num_branches + [reduced_channels] * num_stripes
        )
        self.triplet = MODELS.build(triplet)

    def pre_logits(self, feats: MGNFeatures) -> Tensor:
        """The test feature (N, 2048).

        Raises:
            ValueError: The features are not those of ``MGNNeck``.
        """
        feats = self._of_neck(feats)
        return torch.cat([*feats.reduced, *feats.stripes], dim=1)

    def forward(self, feats: MGNFeatures) -> list[Tensor]:
        """The logits (N, C) of each classifier."""
        return [
            classifier(feature)
            for classifier, feature in zip(self.classifiers, self._classified(feats), strict=True)
        ]

    def loss(self, feats: MGNFeatures, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """``loss_softmax_<i>`` and ``loss_triplet_<i>``, each divided by the number of its kind.

        Raises:
            ValueError: The features are not those of ``MGNNeck``, a classifier cannot take the
                labels, or all labels are equal.
        """
        losses = {}
        for i, feature in enumerate(self._classified(feats)):
            for key, value in self.classifiers[i].loss((feature,), data_samples).items():
                if 'loss' in key:
                    losses[f'{key}_softmax_{i}'] = value / len(self.classifiers)
                else:
                    losses[f'{key}_{i}'] = value
        target = hard_targets(data_samples, type(self).__name__)
        for i, feature in enumerate(feats.reduced):
            losses[f'loss_triplet_{i}'] = self.triplet(feature, target) / len(feats.reduced)
        return losses

    def _classified(self, feats: MGNFeatures) -> list[Tensor]:
        feats = self._of_neck(feats)
        return [*feats.pooled, *feats.stripes]

    def _of_neck(self, feats: MGNFeatures) -> MGNFeatures:
        name = type(self).__name__
        if not isinstance(feats, MGNFeatures):
            raise ValueError(
                f"{name} needs the features of neck=dict(type='amlfs_mm.MGNNeck'), but the neck "
                f'(or the backbone, if there is no neck) gives {describe(feats)}'
            )
        found = len(feats.pooled) + len(feats.stripes)
        if found != len(self.classifiers):
            raise ValueError(
                f'{name} has {len(self.classifiers)} classifiers, but the neck gives '
                f'{len(feats.pooled)} whole maps and {len(feats.stripes)} stripes: set the '
                f"head's num_branches={len(feats.pooled)} and num_stripes={len(feats.stripes)}"
            )
        return feats


@MODELS.register_module()
class PerBranchMGNHead(MGNHead):
    """MGN with a theta for each classifier. The search space is the product of their spaces.

    ``theta`` (8 x 24 numbers) is the thetas of the classifiers in a row.

    Args:
        args: As in :class:`MGNHead`; the classifier must be ``AMLFSHead``.
        kwargs: The same.
        theta: The losses, as in ``AMLFSHead``: a file with all branches, or one loss for all.

    Raises:
        ValueError: The classifier is another head, or theta does not fit.
    """

    def __init__(self, *args, theta: str | dict | None = None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        spaces = [getattr(head, 'search_space', None) for head in self.classifiers]
        if None in spaces:
            raise ValueError(
                "PerBranchMGNHead needs classifier=dict(type='amlfs_mm.AMLFSHead'), got "
                f'{type(self.classifiers[0]).__name__}'
            )
        self.num_classes = self.classifiers[0].num_classes
        self.search_space = BranchSearchSpace(spaces[0], len(spaces))
        self.theta_is_given = theta is not None
        if self.theta_is_given:
            self.set_theta(find_loss(self.search_space, theta))
            for head in self.classifiers:
                head.theta_is_given = True

    @property
    def theta(self) -> Tensor:
        """(8 D,) The thetas of the classifiers in a row, a copy."""
        return torch.cat([head.theta for head in self.classifiers])

    def set_theta(self, theta: Tensor) -> None:
        """Give each classifier its part of theta (8 D,).

        Raises:
            ValueError: theta has another length.
        """
        parts = self.search_space.branches(theta)
        for head, part in zip(self.classifiers, parts, strict=True):
            head.set_theta(part)

    def interval_counts(self) -> dict[str, Tensor]:
        """Training samples that were in each interval of t and tau, (M,) each, in all branches."""
        counts = [head.interval_counts() for head in self.classifiers]
        return {name: sum(count[name] for count in counts) for name in counts[0]}
