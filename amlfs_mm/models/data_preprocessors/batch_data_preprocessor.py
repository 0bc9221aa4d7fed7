"""Normalisation of a batch that is one tensor already."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmpretrain.models import ClsDataPreprocessor
from torch import Tensor

from amlfs_mm.registry import MODELS
from amlfs_mm.utils.lazy_data_samples import LazyDataSamples


@MODELS.register_module()
class BatchDataPreprocessor(ClsDataPreprocessor):
    """mmpretrain's preprocessor, which leaves a batch of :class:`LazyDataSamples` whole.

    The images become the same numbers, bit for bit; labels stay one tensor. Other batches, padding
    and mixed labels (``to_onehot``, ``batch_augments``) are mmpretrain's.

    Args:
        channels_last: Lay the images out as (N, H, W, C) in memory. Convolutions are often faster
            with it, on a GPU and on a CPU. The last bits of the results differ.
        args: As in mmpretrain's ``ClsDataPreprocessor``.
        kwargs: The same.
    """

    def __init__(self, *args, channels_last: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.memory_format = torch.channels_last if channels_last else torch.contiguous_format

    @classmethod
    def like(cls, other: ClsDataPreprocessor) -> BatchDataPreprocessor:
        """One with the options of mmpretrain's."""
        made = cls()
        made.__dict__.update(other.__dict__)
        return made

    def forward(self, data: dict, training: bool = False) -> dict:
        """The normalised images (N, C, H, W) as ``inputs``, and the ``data_samples``.

        Raises:
            ValueError: ``mean`` or ``std`` do not fit the channels of the images.
        """
        if self._enable_normalize:
            check_channels(data['inputs'], self.mean, self.std)
        samples = data.get('data_samples')
        if not isinstance(samples, LazyDataSamples) or self.to_onehot or self.pad_size_divisor > 1:
            data = super().forward(data, training)
            data['inputs'] = data['inputs'].contiguous(memory_format=self.memory_format)
            return data
        images = data['inputs'].to(self.device, non_blocking=True)
        if self.to_rgb and images.size(1) == 3:
            images = images.flip(1)
        # A copy: the batch itself may be kept for other candidates.
        images = images.to(torch.float32, copy=True, memory_format=self.memory_format)
        if self._enable_normalize:
            images.sub_(self.mean).div_(self.std)
        return dict(inputs=images, data_samples=samples.to(self.device))


def check_channels(images: Tensor | Sequence[Tensor], mean: Tensor, std: Tensor) -> None:
    """``mean`` and ``std`` have one value for all channels of the images, or one for each.

    Args:
        images: A batch (N, C, H, W), or N images (C, H, W).
        mean: (1 or C, 1, 1).
        std: (1 or C, 1, 1).

    Raises:
        ValueError: ``mean`` or ``std`` has another number of values, such as 3 for grey images.

    When:
        A batch is normalised, in training, validation and test.
    """
    if isinstance(images, Tensor):
        found = {images.size(1)} if images.ndim == 4 else set()
    else:
        found = {image.size(0) for image in images if image.ndim == 3}
    for name, values in (('mean', len(mean)), ('std', len(std))):
        wrong = found - {values} if values > 1 else set()
        if wrong:
            channels = min(wrong)
            raise ValueError(
                f'an image has {channels} channel{"s" if channels > 1 else ""}, but '
                f'data_preprocessor.{name} has {values} values: give one value for each channel, '
                "or load the images with color_type='color' (3 channels) or 'grayscale' (1)"
            )
