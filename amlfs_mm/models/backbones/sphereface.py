"""SphereFace's residual network of 20 convolutions (Liu et al. 2017, arXiv 1704.08063)."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from amlfs_mm.registry import MODELS

from .face_input import check_face_size


class PReLUConv(nn.Sequential):
    """A 3x3 convolution and a PReLU with a slope a channel."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        # As in the authors' prototxt: those that halve the map have a bias, the others none.
        conv = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=stride > 1)
        super().__init__(conv, nn.PReLU(out_channels))


class ResidualPair(nn.Module):
    """``x + PReLU(conv(PReLU(conv(x))))``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(PReLUConv(channels, channels), PReLUConv(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


@MODELS.register_module()
class SphereFace20(BaseModule):
    """Four stages that halve the map, of 1, 2, 4, 1 residual pairs, and a linear layer; no BN.

    20 convolutions; 22,666,944 parameters for faces of 112 x 96 (11,010,560 of
    them in the last layer). Weights start as in the authors' prototxt: Caffe's "xavier", uniform in
    ``+-sqrt(3 / fan_in)``, where there is a bias, N(0, 0.01^2) elsewhere; biases at 0, PReLU slopes
    at 0.25. Their recipe doubles the biases' learning rate and decays only weights:
    ``paramwise_cfg=dict(bias_lr_mult=2, bias_decay_mult=0)``.

    Args:
        input_size: (H, W) of a face.
        out_channels: D, the length of the feature.
        base_channels: Of the first stage; each one doubles them.
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
