"""MGN's backbone: a ResNet that splits into branches (arXiv 1804.01438, section 3.1)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from mmengine.model import BaseModule
from mmpretrain.models.backbones import ResNet
from torch import Tensor, nn

from amlfs_mm.registry import MODELS


@MODELS.register_module()
class MGNBackbone(BaseModule):
    """A ResNet that is shared up to the first block of its third stage, then split into branches.

    Each branch has its own copy of the rest. With ``strides=(2, 1, 1)`` the first branch halves
    its map in the last stage, as ResNet does: 12 x 4 of a 384 x 128 image. The other two do not:
    24 x 8. All branches start from the same weights.

    Args:
        depth: Of the ResNet.
        strides: Stride of the last stage of each branch.
        stem_channels: Width of the stem.
        base_channels: Width of the first stage.
        init_cfg: Of the whole ResNet, before it is split: ``dict(type='Pretrained',
            checkpoint='torchvision://resnet50')``, or None for mmpretrain's own initialisation.
    """

    def __init__(
        self,
        depth: int = 50,
        strides: Sequence[int] = (2, 1, 1),
        stem_channels: int = 64,
        base_channels: int = 64,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__()
        self.resnet_options = dict(
            depth=depth, stem_channels=stem_channels, base_channels=base_channels
        )
        if init_cfg is not None:
            self.resnet_options['init_cfg'] = init_cfg
        self.trunk = split_trunk(self._build_resnet(stride=2))
        self.branches = nn.ModuleList(
            split_branch(self._build_resnet(stride)) for stride in strides
        )

    def _build_resnet(self, stride: int) -> ResNet:
        return ResNet(**self.resnet_options, strides=(1, 2, 2, stride))

    def init_weights(self) -> None:
        """Initialise one ResNet by ``init_cfg`` and copy its parts."""
        whole = self._build_resnet(stride=2)  # no weight's shape depends on the stride
        whole.init_weights()
        self.trunk.load_state_dict(split_trunk(whole).state_dict())
        for branch in self.branches:
            branch.load_state_dict(split_branch(whole).state_dict())

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """The map (N, C, H_i, W_i) of each branch."""
        x = self.trunk(x)
        return tuple(branch(x) for branch in self.branches)


def split_trunk(resnet: ResNet) -> nn.Sequential:
    """The part of a ResNet up to the first block of its third stage, res_conv4_1."""
    stem = [(name, getattr(resnet, name)) for name in ('conv1', 'bn1', 'relu', 'maxpool')]
    stages = [('layer1', resnet.layer1), ('layer2', resnet.layer2), ('layer3_0', resnet.layer3[0])]
    return nn.Sequential(OrderedDict(stem + stages))


def split_branch(resnet: ResNet) -> nn.Sequential:
    """The part of a ResNet behind the first block of its third stage."""
    rest = nn.Sequential(*list(resnet.layer3)[1:])
    return nn.Sequential(OrderedDict(layer3_rest=rest, layer4=resnet.layer4))
