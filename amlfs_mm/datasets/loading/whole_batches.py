"""Loaders whose batches are one tensor of images from the start."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator

import torch
from mmcv.transforms import RandomFlip
from mmengine.dataset import Compose
from mmengine.logging import print_log
from mmpretrain.datasets import PackInputs, RandomCrop
from torch.utils.data import DataLoader, Dataset

from .batch_cache import SAMPLE_BYTES
from .in_memory_images import InMemoryImages


class WholeBatchLoader(DataLoader):
    """Batches of :class:`InMemoryImages` as one tensor each, made in this process.

    Loader workers would take longer to send a batch than this process takes to make it.
    """

    def __iter__(self) -> Iterator[dict]:
        return map(self.dataset.batch, self.batch_sampler)


def with_whole_batches(loader: DataLoader, max_gib: float) -> DataLoader:
    """The same loader with its images in memory, if they fit; else the loader as it is.

    The pipeline may load, resize, add :class:`LabelNoise`, and end in ``RandomCrop`` (from a border
    of zeros, to the image's own size), ``RandomFlip`` (horizontal) and ``PackInputs``. The crop and
    the flip become :class:`InMemoryImages`'s. Where something else is there, a line in the log says
    why the images are loaded one by one.

    Args:
        loader: Of uint8 images, in batches.
        max_gib: GiB of memory of this process, for this loader's images and data samples. 0: none.
    """
    dataset = loader.dataset
    if not isinstance(dataset, InMemoryImages):
        if not max_gib or not len(dataset):
            return loader
        try:
            dataset = in_memory(dataset, max_gib)
        except Exception as error:  # what is wrong with a sample shows when it is loaded by itself
            print_log(f'Images are loaded one by one: {error}', 'current', logging.INFO)
            return loader
    if loader.batch_sampler is None:
        return loader
    return WholeBatchLoader(dataset, batch_sampler=loader.batch_sampler)


def in_memory(dataset: Dataset, max_gib: float) -> InMemoryImages:
    """The data set as :class:`InMemoryImages`.

    Raises:
        ValueError: It does not fit into ``max_gib`` GiB, or its pipeline has random transforms that
            :class:`InMemoryImages` has not, or images of several sizes.
    """
    transforms = pipeline_of(dataset)
    options = dict(padding=0, flip_prob=0.0)
    fixed = []
    for number, transform in enumerate(transforms):
        rest = transforms[number:-1]
        if all(isinstance(other, (RandomCrop, RandomFlip)) for other in rest):
            break
        fixed.append(transform)
    random = transforms[len(fixed) : -1]
    still = with_pipeline(dataset, [*fixed, transforms[-1]])
    first = still[0]['inputs']
    for transform in random:
        option = (
            crop_padding(transform, first)
            if isinstance(transform, RandomCrop)
            else flip_probability(transform)
        )
        if options[option[0]]:
            raise ValueError(f'the pipeline has two {type(transform).__name__}')
        options.update([option])
    gib = len(still) * (first.nbytes + SAMPLE_BYTES) / 2**30
    if gib > max_gib:
        raise ValueError(
            f'{len(still)} images of {tuple(first.shape)} take {gib:.2f} GiB, more than '
            f'in_memory_gib={max_gib}'
        )
    return InMemoryImages(still, **options)


def crop_padding(transform: RandomCrop, image: torch.Tensor) -> tuple[str, int]:
    """The option of :class:`InMemoryImages` that is the same crop."""
    same = (
        tuple(transform.crop_size) == tuple(image.shape[1:])
        and isinstance(transform.padding, int)
        and transform.pad_val == 0
        and transform.padding_mode == 'constant'
    )
    if not same:
        raise ValueError(
            f'{transform} of {tuple(image.shape)} is no crop of the own size from a border of zeros'
        )
    return 'padding', transform.padding


def flip_probability(transform: RandomFlip) -> tuple[str, float]:
    """The option of :class:`InMemoryImages` that is the same flip."""
    if not isinstance(transform.prob, float) or transform.direction != 'horizontal':
        raise ValueError(f'{transform} is not a horizontal flip with one probability')
    return 'flip_prob', transform.prob


def pipeline_of(dataset: Dataset) -> list:
    """The transforms of a data set, or of the one that it takes a part of.

    Raises:
        ValueError: There is no pipeline that ends in ``PackInputs``.
    """
    while not hasattr(dataset, 'pipeline') and hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    transforms = list(getattr(getattr(dataset, 'pipeline', None), 'transforms', []))
    if not transforms or not isinstance(transforms[-1], PackInputs):
        raise ValueError(f'{type(dataset).__name__} has no pipeline that ends in PackInputs')
    return transforms


def with_pipeline(dataset: Dataset, transforms: list) -> Dataset:
    """A copy of the data set, of the same items, with other transforms."""
    dataset = copy.copy(dataset)
    if hasattr(dataset, 'pipeline'):
        dataset.pipeline = Compose(transforms)
    else:
        dataset.dataset = with_pipeline(dataset.dataset, transforms)
    return dataset
