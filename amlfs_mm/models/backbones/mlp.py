"""A multi-layer perceptron on the pixels of small images, which mmpretrain lacks."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn
from torchvision.ops import MLP as Layers

from amlfs_mm.registry import MODELS


@MODELS.register_module()
class MLP(BaseModule):
    """Linear layers with batch normalisation and ReLU, the last one linear alone.

    The layers are torchvision's, with torch's own initial weights.

    Args:
        in_channels: Numbers of an image, C x H x W.
        channels: Numbers after each layer; the last is the length of the feature.
        init_cfg: As in mmengine's ``BaseModule``.

    Raises:
        ValueError: There is no layer, or one of no numbers.
    """

    def __init__(
        self,
        in_channels: int = 784,
        channels: Sequence[int] = (128, 128, 64),
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not channels or min(in_channels, *channels) < 1:
            raise ValueError(
                f'in_channels and all of channels must be >= 1, got {in_channels}, {channels}'
            )
        self.layers = Layers(in_channels, list(channels), norm_layer=nn.BatchNorm1d)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """The features (N, channels[-1]) of images (N, C, H, W)."""
        return (self.layers(x.flatten(1)),)
