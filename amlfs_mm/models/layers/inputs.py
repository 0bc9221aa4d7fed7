"""What a part of a model gets: checks of shapes, which cost no work on the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.utils import is_seq_of
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def feature_vectors(feats: Any, name: str, in_channels: int) -> Tensor:
    """The features (N, D) of the last stage, as mmpretrain's heads take them.

    Args:
        feats: What the neck gives, or the backbone if there is no neck: a tensor, or a tuple or
            list of the stages' tensors.
        name: The part that asks, for the message.
        in_channels: D.

    Raises:
        ValueError: The last stage is not a tensor of that shape.
    """
    features = last_stage(feats)
    if not isinstance(features, Tensor):
        raise ValueError(
            f'{name} needs a feature vector an image, (N, {in_channels}), but the neck (or the '
            f'backbone, if there is no neck) gives {describe(feats)}: {advice(feats)}'
        )
    if features.ndim == 4:
        raise ValueError(
            f'{name} needs a feature vector an image, (N, {in_channels}), but the neck (or the '
            f'backbone, if there is no neck) gives maps {tuple(features.shape)}: set '
            "neck=dict(type='GlobalAveragePooling')"
        )
    if features.ndim != 2:
        raise ValueError(
            f'{name} needs a feature vector an image, (N, {in_channels}), but the neck (or the '
            f'backbone, if there is no neck) gives shape {tuple(features.shape)}: set a neck that '
            'gives one vector an image'
        )
    if features.shape[1] != in_channels:
        raise ValueError(
            f'{name} was built with in_channels={in_channels}, but the neck (or the backbone, if '
            f'there is no neck) gives features of {features.shape[1]} numbers: set '
            f"the head's in_channels={features.shape[1]}"
        )
    return features


def feature_map(feats: Any, name: str, in_channels: int) -> Tensor:
    """The map (N, C, H, W) of the last stage.

    Args:
        feats: What the backbone gives, as in :func:`feature_vectors`.
        name: The part that asks, for the message.
        in_channels: C.

    Raises:
        ValueError: The last stage is not a tensor of that shape.
    """
    features = last_stage(feats)
    if not isinstance(features, Tensor) or features.ndim != 4:
        raise ValueError(
            f'{name} needs the last feature map of the backbone, (N, {in_channels}, H, W), but the '
            f"backbone gives {describe(feats)}: leave the neck out, or take the map (a ResNet's "
            'out_indices=(3,))'
        )
    if features.shape[1] != in_channels:
        raise ValueError(
            f'{name} was built with in_channels={in_channels}, but the backbone gives a map of '
            f"{features.shape[1]} channels: set the neck's in_channels={features.shape[1]}"
        )
    return features


def refuse_single_image(x: Tensor, part: nn.Module, name: str) -> None:
    """Refuse a training batch of one image before batch norm, which has no deviation of one.

    ``SyncBatchNorm`` takes the statistics of all replicas, so it may have one image a replica.

    Args:
        x: (N, ...) the batch.
        part: What it is going to; its batch norms are looked at when N is 1.
        name: Of the part, for the message.

    Raises:
        ValueError: N is 1, and a batch norm of the part is training.
    """
    if len(x) != 1:
        return
    if any(
        isinstance(module, _BatchNorm)
        and module.training
        and not isinstance(module, nn.SyncBatchNorm)
        for module in part.modules()
    ):
        raise ValueError(
            f'{name} has batch norm, which cannot train on a batch of one image: set '
            'drop_last=True in train_dataloader, or a batch_size that does not leave one image over'
        )


def last_stage(feats: Any) -> Any:
    """The last of a tuple or list of stages; anything else as it is."""
    return feats[-1] if isinstance(feats, (tuple, list)) and len(feats) else feats


def describe(feats: Any) -> str:
    """A part's output in words: its type, and the shapes of its tensors."""
    kind = type(feats).__name__
    if isinstance(feats, Tensor):
        return f'shape {tuple(feats.shape)}'
    if is_seq_of(feats, Tensor, seq_type=Sequence):
        return f'a {kind} of shapes {[tuple(part.shape) for part in feats]}'
    if isinstance(feats, dict):
        return f'a {kind} with the keys {list(feats)}'
    return f'a {kind}'


def advice(feats: Any) -> str:
    """How to turn a part's output into one vector."""
    if hasattr(feats, 'stripes'):
        return "the features of MGNNeck are for head=dict(type='amlfs_mm.MGNHead', ...)"
    return 'set a neck whose output is a tensor (N, D), or a tuple that ends with one'
