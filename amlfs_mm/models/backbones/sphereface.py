"""SphereFace's residual network of 20 convolutions (Liu et al. 2017, arXiv 1704.08063)."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from amlfs_mm.registry import MODELS

from .face_input import check_face_size


class PReLUConv(nn.Sequential):
    """A 3 x 3 convolution and a PReLU with one slope a channel.

    Args:
        in_channels: Of the input.
        out_channels: Of the output.
        stride: Of the convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        # As in the authors' prototxt: only convolutions that halve the map have a bias.
        conv = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=stride > 1)
        super().__init__(conv, nn.PReLU(out_channels))


class ResidualPair(nn.Module):
    """``x + PReLU(conv(PReLU(conv(x))))``.

    Args:
        channels: Of input and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(PReLUConv(channels, channels), PReLUConv(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) of x (N, C, H, W)."""
        return x + self.layers(x)


@MODELS.register_module()
class SphereFace20(BaseModule):
    """Four stages that halve the map, of 1, 2, 4 and 1 residual pairs, and a linear layer; no BN.

    There are 20 convolutions, and for faces of 112 x 96 22,666,944 parameters, 11,010,560 of them
    in the last layer. Weights start as in the authors' prototxt. Layers with a bias start with
    Caffe's "xavier", uniform in ``+-sqrt(3 / fan_in)``, the others at N(0, 0.01^2). Biases start at
    0, PReLU slopes at 0.25. The authors' recipe doubles the learning rate of biases and decays only
    weights: ``paramwise_cfg=dict(bias_lr_mult=2, bias_decay_mult=0)``.

    Args:
        input_size: (H, W) of a face.
        out_channels: D, the length of the feature.
        base_channels: Channels of the first stage. Each further stage has twice as many.
        init_cfg: As in mmengine's ``BaseModule``.
    """

    num_pairs = (1, 2, 4, 1)

    def __init__(
        self,
        input_size: tuple[int, int] = (112, 96),
        out_channels: int = 512,
        base_channels: int = 64,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.input_size = tuple(input_size)
        stages, channels = [], 3
        for i, pairs in enumerate(self.num_pairs):
            halved = PReLUConv(channels, base_channels * 2**i, stride=2)
            channels = base_channels * 2**i
            stages.append(nn.Sequential(halved, *(ResidualPair(channels) for _ in range(pairs))))
        self.stages = nn.Sequential(*stages)
        height, width = (-(-side // 16) for side in self.input_size)  # halved 4 times, rounded up
        self.fc = nn.Linear(channels * height * width, out_channels)
        self._start()

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """The feature (N, D), in a tuple, of faces (N, 3, H, W).

        Raises:
            ValueError: The faces have another size.
        """
        check_face_size(x, self.input_size, type(self).__name__)
        return (self.fc(torch.flatten(self.stages(x), 1)),)

    def _start(self) -> None:
        for module in self.modules():
            if not isinstance(module, (nn.Conv2d, nn.Linear)):
                continue
            if module.bias is None:
                nn.init.normal_(module.weight, std=0.01)
            else:
                nn.init.kaiming_uniform_(module.weight, nonlinearity='linear')  # Caffe's xavier
                nn.init.zeros_(module.bias)
