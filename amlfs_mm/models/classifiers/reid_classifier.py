"""A classifier of identities that is used for its features."""

from __future__ import annotations

from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.structures import DataSample
from torch import Tensor

from amlfs_mm.registry import MODELS


@MODELS.register_module()
class ReIDClassifier(ImageClassifier):
    """mmpretrain's ``ImageClassifier``, trained on identities and tested by its features.

    ``mode='predict'`` sets each data sample's ``feature`` (D,), and ``mode='tensor'`` gives the
    features (N, D): what the head's ``pre_logits`` makes of the neck's output.

    Args:
        flip_average: A feature is the mean of those of the image and its mirror image.
        args, kwargs: As in ``ImageClassifier``.
    """

    def __init__(self, *args, flip_average: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.flip_average = flip_average

    def embed(self, inputs: Tensor) -> Tensor:
        """The features (N, D) of preprocessed images (N, 3, H, W); not normalised."""
        feature = self.extract_feat(inputs, stage='pre_logits')
        if not self.flip_average:
            return feature
        return (feature + self.extract_feat(inputs.flip(3), stage='pre_logits')) / 2

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
