"""He et al.'s ResNet for CIFAR-10 (arXiv 1512.03385, section 4.2), which mmpretrain lacks."""

from __future__ import annotations

import torch.nn.functional as F
from mmpretrain.models.backbones import ResNet_CIFAR
from mmpretrain.models.backbones.resnet import BasicBlock
from torch import Tensor, nn

from amlfs_mm.registry import MODELS


class OptionAShortcut(nn.Module):
    """The shortcut without parameters: subsample by the stride, pad new channels with zeros.

    He et al., arXiv 1512.03385, option A.

    Args:
        in_channels: Of the input.
        out_channels: Of the output, not fewer.
        stride: Of the block.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels = out_channels - in_channels
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """(N, out_channels, H / stride, W / stride) of x (N, in_channels, H, W)."""
        half = self.new_channels // 2
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, half, self.new_channels - half))


@MODELS.register_module()
class CIFARResNet(ResNet_CIFAR):
    """ResNet of depth 6n + 2: three stages of n basic blocks, 16, 32, 64 channels, option A.

    With depth 20 and a linear classifier with bias it has He et al.'s 0.27M (269,722) parameters.
    mmpretrain's ``ResNet_CIFAR`` is another net: the ImageNet ResNet with a small stem. It has
    other depths, four stages and projection shortcuts (option B).

    Args:
        depth: 8, 14, 20, 32, 44, 56 or 110.
        base_channels: Channels of the first stage and the stem.
        kwargs: As in ``ResNet_CIFAR``.

    Raises:
        ValueError: The depth is none of these.
    """

    arch_settings = {6 * n + 2: (BasicBlock, (n, n, n)) for n in (1, 2, 3, 5, 7, 9, 18)}

    def __init__(self, depth: int = 20, base_channels: int = 16, **kwargs) -> None:
        if depth not in self.arch_settings:
            raise ValueError(f'depth must be one of {sorted(self.arch_settings)}, got {depth}')
        options = dict(
            num_stages=3,
            strides=(1, 2, 2),
            dilations=(1, 1, 1),
            out_indices=(2,),
            zero_init_residual=False,
        )
        super().__init__(
            depth, stem_channels=base_channels, base_channels=base_channels, **{**options, **kwargs}
        )

    def make_res_layer(self, **kwargs) -> nn.Sequential:
        """A stage as ``ResNet_CIFAR`` makes it, with a shortcut of option A."""
        layer = super().make_res_layer(**kwargs)
        if layer[0].downsample is not None:
            layer[0].downsample = OptionAShortcut(
                kwargs['in_channels'], kwargs['out_channels'], kwargs['stride']
            )
        return layer
