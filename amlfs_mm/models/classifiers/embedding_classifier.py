"""A classifier of identities that is used for its features."""

from __future__ import annotations

import torch
from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.structures import DataSample
from torch import Tensor

from amlfs_mm.registry import MODELS


@MODELS.register_module()
class EmbeddingClassifier(ImageClassifier):
    """mmpretrain's ``ImageClassifier``, trained on identities and tested by its features.

    For persons (re-ID) and faces. ``mode='predict'`` sets each data sample's ``feature`` (D,), and
    ``mode='tensor'`` gives the features (N, D): what the head's ``pre_logits`` makes of the output
    of the neck, or of the backbone if there is none.

    Args:
        flip: What becomes of the features of an image and its mirror image. None: only the image's
            is used. ``'average'``: their mean, which is their sum but for its length (MGN,
            AM-softmax, insightface). ``'concatenate'``: both, 2 D numbers (SphereFace, CosFace).
        args, kwargs: As in ``ImageClassifier``.
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
    ):
        if mode == 'tensor':
            return self.embed(inputs)
        return super().forward(inputs, data_samples, mode)

    def predict(
        self, inputs: Tensor, data_samples: list[DataSample] | None = None
    ) -> list[DataSample]:
        features = self.embed(inputs)
        if data_samples is None:
            data_samples = [DataSample() for _ in features]
        for sample, feature in zip(data_samples, features, strict=True):
            sample.set_field(feature, 'feature')
        return data_samples
