"""Any model of torchreid as a backbone."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from amlfs_mm.registry import MODELS
from amlfs_mm.utils.optional_imports import import_torchreid


@MODELS.register_module()
class TorchreidBackbone(BaseModule):
    """OSNet, MLFN, HA-CNN, PCB or another of torchreid's models, up to its feature.

    Its classifiers are removed. The head of the config classifies identities; it may be
    ``AMLFSHead``. Parameters on which the feature does not depend are frozen, such as PCB's part
    reductions.

    Some of its models have a classifier for each part of the body: PCB one a stripe, HA-CNN one for
    the whole image and one for the four regions. With ``parts=True`` these models give in training
    what each of their classifiers gets, for :class:`amlfs_mm.models.PartsHead`. In evaluation they
    give their test feature in any case.

    Attributes:
        feature_dim: D, the length of the test feature: the ``in_channels`` of a head without parts.

    Args:
        name: As in ``torchreid.reid.models.build_model``, such as ``osnet_x1_0``.
        pretrained: True: torchreid downloads its ImageNet weights. A path: a file of torchreid's
            weights, which is read when the weights are initialised.
        input_size: (H, W) of the images. HA-CNN takes only (160, 64).
        parts: In training, give the features of the parts in place of the test feature.
        init_cfg: As in mmengine's ``BaseModule``.

    Raises:
        ImportError: torchreid is not installed.
        ValueError: torchreid has no such model, or with ``parts`` it has one classifier only.
    """

    def __init__(
        self,
        name: str,
        pretrained: bool | str = False,
        input_size: tuple[int, int] = (256, 128),
        parts: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        models = import_torchreid('models')
        try:
            # With 'triplet' it gives its feature in training too, beside its own logits.
            self.model = models.build_model(
                name, num_classes=1, loss='triplet', pretrained=pretrained is True, use_gpu=False
            )
        except KeyError as error:
            raise ValueError(f'torchreid has no model {name!r}: {error.args[0]}') from error
        num_classifiers = remove_classifiers(self.model)
        if parts and num_classifiers < 2:
            raise ValueError(
                f'parts=True is for models with a classifier for each part of the body, such as '
                f"'pcb_p6' and 'hacnn', but {name!r} has {num_classifiers}: leave parts out"
            )
        self.weights_file = pretrained if isinstance(pretrained, str) else None
        self.parts = parts
        self.feature_dim = self._freeze_what_is_not_used(input_size)

    def init_weights(self) -> None:
        """Initialise by ``init_cfg``, and take the weights of ``pretrained`` if it is a path.

        Raises:
            ValueError: The file lacks a weight of the model, or has it in another shape.
        """
        super().init_weights()
        if self.weights_file is not None:
            load_weights(self.model, self.weights_file)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """The feature (N, D) of images (N, 3, H, W), in a tuple.

        With ``parts``, in training: the feature (N, D_i) of each part.
        """
        if hasattr(self.model, 'use_gpu'):
            self.model.use_gpu = x.is_cuda  # where HA-CNN makes tensors
        feature = self.model(x)
        if self.training:
            parts, feature = feature  # identities in place of its classifiers
            if self.parts:
                return tuple(parts)
        if isinstance(feature, tuple):  # HA-CNN: global, local
            feature = torch.cat(feature, dim=1)
        return (feature,)

    def _freeze_what_is_not_used(self, input_size: tuple[int, int]) -> int:
        """Freeze the parameters on which the feature does not depend; the feature's length.

        What the classifiers of parts get depends on all parameters.
        """
        self.eval()  # keep the batch statistics
        (feature,) = self(torch.zeros(1, 3, *input_size))
        self.train()
        if self.parts:
            return feature.shape[1]
        parameters = [p for p in self.parameters() if p.requires_grad]
        gradients = torch.autograd.grad(feature.sum(), parameters, allow_unused=True)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.requires_grad_(gradient is not None)
        return feature.shape[1]


def remove_classifiers(model: nn.Module) -> int:
    """Replace the layers whose names begin with ``classifier`` by identities, in place.

    Returns:
        How many there were.
    """
    count = 0
    for name, child in model.named_children():
        if not name.startswith('classifier'):
            continue
        if isinstance(child, nn.ModuleList):
            setattr(model, name, nn.ModuleList(nn.Identity() for _ in child))
            count += len(child)
        else:
            setattr(model, name, nn.Identity())
            count += 1
    return count


def load_weights(model: nn.Module, path: str) -> None:
    """Load a file of torchreid's weights into its model; classifiers in the file are ignored.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file lacks a weight of the model, or has it in another shape.
    """
    checkpoint = CheckpointLoader.load_checkpoint(path, map_location='cpu')
    saved = checkpoint.get('state_dict', checkpoint)
    saved = {name.removeprefix('module.'): weight for name, weight in saved.items()}
    own = model.state_dict()
    lacking = [
        name
        for name, weight in own.items()
        if not name.endswith('num_batches_tracked')  # old files have none
        and (name not in saved or saved[name].shape != weight.shape)
    ]
    if lacking:
        raise ValueError(
            f'{path} lacks {len(lacking)} of the {len(own)} weights of {type(model).__name__}, or '
            f'has them in other shapes, such as {lacking[0]!r}: give a file of torchreid for this '
            'model'
        )
    model.load_state_dict(own | {name: saved[name] for name in own if name in saved})
