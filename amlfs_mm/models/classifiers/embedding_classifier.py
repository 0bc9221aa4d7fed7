"""A classifier of identities that is tested by its features."""

from __future__ import annotations

import torch
from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.structures import DataSample
from torch import Tensor

from amlfs_mm.registry import MODELS


@MODELS.register_module()
class EmbeddingClassifier(ImageClassifier):
    """mmpretrain's ``ImageClassifier``, trained on identities and tested by its features.

    It is for persons (re-ID) and faces. A feature is what the head's ``pre_logits`` makes of the
    output of the neck, or of the backbone if there is no neck. ``mode='predict'`` sets the
    ``feature`` (D,) of each data sample. ``mode='tensor'`` gives the features (N, D).

    Args:
        flip: How to use the mirror image. None: not at all. ``'average'``: the mean of the features
            of image and mirror image (MGN, AM-softmax, insightface, which take the sum; the
            direction is the same). ``'concatenate'``: both in a row, 2 D numbers (SphereFace,
            CosFace).
        args: As in ``ImageClassifier``.
        kwargs: The same.

    Raises:
        ValueError: flip is none of the three.
    """

    def __init__(self, *args, flip: str | None = None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if flip not in (None, 'average', 'concatenate'):
            raise ValueError(f"flip must be None, 'average' or 'concatenate', got {flip!r}")
        self.flip = flip

    def embed(self, inputs: Tensor) -> Tensor:
        """The features (N, D) of preprocessed images (N, 3, H, W); not normalised."""
        feature = self.extract_feat(inputs, stage='pre_logits')
        if self.flip is None:
            return feature
        mirrored = self.extract_feat(inputs.flip(3), stage='pre_logits')
        if self.flip == 'concatenate':
            return torch.cat([feature, mirrored], dim=1)
        return (feature + mirrored) / 2

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[DataSample] | None = None,
        mode: str = 'tensor',
    ) -> Tensor | list[DataSample] | dict[str, Tensor]:
        """As in ``ImageClassifier``; ``mode='tensor'`` gives the features (N, D)."""
        if mode == 'tensor':
            return self.embed(inputs)
        return super().forward(inputs, data_samples, mode)

    def predict(
        self, inputs: Tensor, data_samples: list[DataSample] | None = None
    ) -> list[DataSample]:
        """The data samples, each with its ``feature`` (D,)."""
        features = self.embed(inputs)
        if data_samples is None:
            data_samples = [DataSample() for _ in features]
        for sample, feature in zip(data_samples, features, strict=True):
            sample.set_field(feature, 'feature')
        return data_samples
