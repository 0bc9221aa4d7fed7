"""Normalisation of a batch that is one tensor already."""

from __future__ import annotations

import torch
from mmpretrain.models import ClsDataPreprocessor

from amlfs_mm.registry import MODELS
from amlfs_mm.utils.lazy_data_samples import LazyDataSamples


@MODELS.register_module()
class BatchDataPreprocessor(ClsDataPreprocessor):
    """mmpretrain's preprocessor, which leaves a batch of :class:`LazyDataSamples` whole.

    The images become the same numbers, bit for bit; labels stay one tensor. Other batches, padding
    and mixed labels (``to_onehot``, ``batch_augments``) are mmpretrain's.

    Args:
        channels_last: Lay the images out as (N, H, W, C) in memory, which convolutions on a GPU
            are often faster with.
        args, kwargs: As in mmpretrain's ``ClsDataPreprocessor``.
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
        """The normalised images (N, C, H, W) as ``inputs``, and the ``data_samples``."""
        samples = data.get('data_samples')
        if not isinstance(samples, LazyDataSamples) or self.to_onehot or self.pad_size_divisor > 1:
            return super().forward(data, training)
        images = data['inputs'].to(self.device, non_blocking=True)
        if self.to_rgb and images.size(1) == 3:
            images = images.flip(1)
        images = images.to(torch.float32, copy=True, memory_format=self.memory_format)
        if self._enable_normalize:
            images.sub_(self.mean).div_(self.std)
        return dict(inputs=images, data_samples=samples.to(self.device))
