"""The improved residual network that insightface trains (ArcFace, arXiv 1801.07698)."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from amlfs_mm.registry import MODELS

from ..layers.inputs import refuse_single_image
from .face_input import check_face_size


class IBasicBlock(nn.Module):
    """``shortcut(x) + BN conv PReLU BN conv BN (x)``. The second convolution has the stride.

    Args:
        in_channels: Of the input.
        channels: Of the output.
        stride: Of the block.
    """

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.prelu = nn.PReLU(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels)
        self.downsample = nn.Identity()
        if stride > 1 or in_channels != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H / stride, W / stride) of x (N, in_channels, H, W)."""
        y = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        return self.downsample(x) + self.bn3(self.conv2(y))


@MODELS.register_module()
class IResNet(BaseModule):
    """IR-18, 34, 50 or 100: BN-dropout-linear-BN behind four stages of :class:`IBasicBlock`.

    Parameters have the names of insightface's ``arcface_torch``, so its backbone checkpoints load:
    ``init_cfg=dict(type='Pretrained', checkpoint='backbone.pth')``. At depth 50 there are
    43,590,848 parameters. The 512 scales of the last BN are not trained, they stay 1. Convolutions
    start at N(0, 0.1^2).

    Args:
        depth: 18, 34, 50 or 100.
        input_size: (H, W) of a face.
        out_channels: D, the length of the feature.
        base_channels: Channels of the first stage. Each further stage has twice as many.
        dropout: Share of the flattened map that is dropped in training.
        init_cfg: As in mmengine's ``BaseModule``.

    Raises:
        ValueError: The depth is none of these.
    """

    arch_settings = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}

    def __init__(
        self,
        depth: int = 50,
        input_size: tuple[int, int] = (112, 112),
        out_channels: int = 512,
        base_channels: int = 64,
        dropout: float = 0.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if depth not in self.arch_settings:
            raise ValueError(f'depth must be one of {sorted(self.arch_settings)}, got {depth}')
        self.input_size = tuple(input_size)
        self.conv1 = nn.Conv2d(3, base_channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(base_channels)
        self.prelu = nn.PReLU(base_channels)
        channels = base_channels
        for i, blocks in enumerate(self.arch_settings[depth]):
            stage = [IBasicBlock(channels, base_channels * 2**i, stride=2)]
            channels = base_channels * 2**i
            stage += [IBasicBlock(channels, channels, stride=1) for _ in range(blocks - 1)]
            setattr(self, f'layer{i + 1}', nn.Sequential(*stage))
        self.bn2 = nn.BatchNorm2d(channels)
        self.dropout = nn.Dropout(dropout)
        height, width = (-(-side // 16) for side in self.input_size)  # halved 4 times, rounded up
        self.fc = nn.Linear(channels * height * width, out_channels)
        self.features = nn.BatchNorm1d(out_channels)
        self.features.weight.requires_grad = False
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.1)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """The feature (N, D), in a tuple, of faces (N, 3, H, W).

        Raises:
            ValueError: The faces have another size, or a training batch has one face.
        """
        check_face_size(x, self.input_size, type(self).__name__)
        if self.training:
            refuse_single_image(x, self.features, type(self).__name__)
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        x = self.fc(self.dropout(torch.flatten(self.bn2(x), 1)))
        return (self.features(x),)
