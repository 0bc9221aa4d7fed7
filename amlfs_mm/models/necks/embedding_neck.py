"""From a feature map to the vector by which identities are classified."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from amlfs_mm.registry import MODELS

from ..layers.inputs import feature_map, refuse_single_image


@MODELS.register_module()
class EmbeddingNeck(BaseModule):
    """Average pooling, then BN, dropout, linear, BN: SphereReID's network D (arXiv 1807.00537).

    Args:
        in_channels: Of the feature map.
        out_channels: D, the length of the embedding.
        dropout: Share of the pooled features that is dropped in training.
        init_cfg: As in mmengine's ``BaseModule``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        dropout: float = 0.5,
        init_cfg: dict | None = dict(type='Kaiming', layer='Linear', mode='fan_out'),
    ) -> None:
        super().__init__(init_cfg)
        self.in_channels = in_channels
        self.layers = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.BatchNorm1d(in_channels),
            nn.Dropout(dropout),
            nn.Linear(in_channels, out_channels),
            nn.BatchNorm1d(out_channels),
        )

    def forward(self, feats: tuple[Tensor, ...]) -> tuple[Tensor]:
        """The embedding (N, D), in a tuple, of the last stage's map (N, C, H, W).

        Raises:
            ValueError: The map has another shape, or a training batch has one image.
        """
        features = feature_map(feats, type(self).__name__, self.in_channels)
        if self.training:
            refuse_single_image(features, self, type(self).__name__)
        return (self.layers(features),)
