"""The head of SFT: one classifier for the features and for their spectral transform."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from amlfs_mm.registry import MODELS

from ..layers.inputs import feature_vectors, refuse_single_image
from ..losses import spectral_feature_transform


@MODELS.register_module()
class SFTHead(BaseModule):
    """Spectral feature transform in training (Luo et al., arXiv 1811.11405).

    In training, the pooled features x and their transform T x form one batch. It goes through a
    reduction (linear without bias, BN, PReLU) and one classifier. The loss is the sum of the mean
    losses of x and of T x. The test feature is x itself, without transform and reduction.

    Args:
        in_channels: Length of x.
        reduced_channels: Length of a classified feature.
        num_classes: C.
        classifier: Config of a head: ``SoftmaxHead`` or ``AMLFSHead``.
        temperature: Of the transform's softmax.
        init_cfg: As in mmengine's ``BaseModule``.

    Raises:
        ValueError: temperature is not above 0.
    """

    def __init__(
        self,
        in_channels: int,
        reduced_channels: int,
        num_classes: int,
        classifier: dict,
        temperature: float = 0.1,
        init_cfg: dict | None = dict(type='Kaiming', layer='Linear', mode='fan_out'),
    ) -> None:
        super().__init__(init_cfg)
        if not temperature > 0:
            raise ValueError(f'temperature must be above 0, got {temperature}')
        self.in_channels = in_channels
        self.temperature = temperature
        self.reduction = nn.Sequential(
            nn.Linear(in_channels, reduced_channels, bias=False),
            nn.BatchNorm1d(reduced_channels),
            nn.PReLU(),
        )
        self.classifier = MODELS.build(
            dict(classifier, num_classes=num_classes, in_channels=reduced_channels)
        )

    def pre_logits(self, feats: tuple[Tensor, ...]) -> Tensor:
        """The test feature (N, in_channels), which is the pooled one.

        Raises:
            ValueError: It does not have this shape.
        """
        return feature_vectors(feats, type(self).__name__, self.in_channels)

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        """The logits (N, C) of the features themselves."""
        return self.classifier(self.reduction(self.pre_logits(feats)))

    def loss(self, feats: tuple[Tensor, ...], data_samples: list[DataSample]) -> dict[str, Tensor]:
        """``loss_original`` of x and ``loss_transformed`` of T x.

        Raises:
            ValueError: The features have another shape, there is one image, or the classifier
                cannot take the labels.
        """
        features = self.pre_logits(feats)
        refuse_single_image(features, self, type(self).__name__)
        both = torch.cat([features, spectral_feature_transform(features, self.temperature)])
        losses = {}
        for name, half in zip(
            ('original', 'transformed'), self.reduction(both).chunk(2), strict=True
        ):
            for key, value in self.classifier.loss((half,), data_samples).items():
                losses[f'{key}_{name}'] = value
        return losses
