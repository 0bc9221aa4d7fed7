"""Any model of torchreid as a backbone."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from amlfs_mm.registry import MODELS
from amlfs_mm.utils.optional_imports import import_torchreid


@MODELS.register_module()
class TorchreidBackbone(BaseModule):
    """OSNet, MLFN, HA-CNN, PCB or another of torchreid's models, up to its feature.

    Its classifiers are removed. The head of the config classifies identities; it may be
    ``AMLFSHead``. Parameters on which the feature does not depend are frozen, such as PCB's part
    reductions.

    Attributes:
        feature_dim: D, the length of the feature: the ``in_channels`` of the head.

    Args:
        name: As in ``torchreid.reid.models.build_model``, such as ``osnet_x1_0``.
        pretrained: Let torchreid download its ImageNet weights.
        input_size: (H, W) of the images. HA-CNN takes only (160, 64).
        init_cfg: As in mmengine's ``BaseModule``.

    Raises:
        ImportError: torchreid is not installed.
        ValueError: torchreid has no such model.
    """

    def __init__(
        self,
        name: str,
        pretrained: bool = False,
        input_size: tuple[int, int] = (256, 128),
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        models = import_torchreid('models')
        try:
            # With 'triplet' it gives its feature in training too, beside its own logits.
            self.model = models.build_model(
                name, num_classes=1, loss='triplet', pretrained=pretrained, use_gpu=False
            )
        except KeyError as error:
            raise ValueError(f'torchreid has no model {name!r}: {error.args[0]}') from error
        remove_classifiers(self.model)
        self.feature_dim = self._freeze_what_is_not_used(input_size)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """The feature (N, D) of images (N, 3, H, W), in a tuple."""
        if hasattr(self.model, 'use_gpu'):
            self.model.use_gpu = x.is_cuda  # where HA-CNN makes tensors
        feature = self.model(x)
        if self.training:
            _, feature = feature
        if isinstance(feature, tuple):  # HA-CNN: global, local
            feature = torch.cat(feature, dim=1)
        return (feature,)

    def _freeze_what_is_not_used(self, input_size: tuple[int, int]) -> int:
        """Freeze the parameters on which the feature does not depend; the feature's length."""
        self.eval()  # keep the batch statistics
        (feature,) = self(torch.zeros(1, 3, *input_size))
        parameters = [p for p in self.parameters() if p.requires_grad]
        gradients = torch.autograd.grad(feature.sum(), parameters, allow_unused=True)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.requires_grad_(gradient is not None)
        self.train()
        return feature.shape[1]


def remove_classifiers(model: nn.Module) -> None:
    """Replace the layers whose names begin with ``classifier`` by identities, in place."""
    for name, child in model.named_children():
        if not name.startswith('classifier'):
            continue
        if isinstance(child, nn.ModuleList):
            setattr(model, name, nn.ModuleList(nn.Identity() for _ in child))
        else:
            setattr(model, name, nn.Identity())
