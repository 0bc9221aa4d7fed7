"""Loaders whose batches are one tensor of images from the start."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sized

import numpy as np
import torch
from mmcv.transforms import RandomFlip
from mmengine.dist import get_dist_info
from mmengine.logging import print_log
from mmpretrain.datasets import RandomCrop
from torch.utils.data import DataLoader, Dataset, IterableDataset

from amlfs_mm.utils.randomness import generators_kept

from .batch_cache import SAMPLE_BYTES
from .collation import collates_as_usual, inner_collate
from .in_memory_images import InMemoryImages
from .pipelines import pipeline_of, with_pipeline


class WholeBatchLoader(DataLoader):
    """Batches of :class:`InMemoryImages` as one tensor each, made in this process.

    Loader workers would take longer to send a batch than this process takes to make it.
    """

    def __iter__(self) -> Iterator[dict]:
        for indices in self.batch_sampler:
            seeds = seeds_of_replica(len(indices)) if self.dataset.augments else None
            yield self.dataset.batch(indices, seeds)


def seeds_of_replica(count: int) -> np.ndarray:
    """Seeds (N,) uint32 from numpy's generator, other ones in each replica of a model.

    mmengine seeds numpy alike on all of them. So each draws the seeds of all, and takes its own.
    """
    replica, replicas = get_dist_info()
    return np.random.randint(2**32, size=(replicas, count), dtype=np.uint32)[replica]


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
    explicit = isinstance(dataset, InMemoryImages)
    empty = isinstance(dataset, Sized) and not len(dataset)  # others know no length
    if loader.batch_sampler is None or not (explicit or (max_gib and not empty)):
        return loader
    try:
        images = images_of(loader, max_gib)
    except Exception as error:  # what is wrong with a sample shows when it is loaded by itself
        print_log(f'Images are loaded one by one: {error}', 'current', logging.INFO)
        return loader
    return WholeBatchLoader(images, batch_sampler=loader.batch_sampler)


def images_of(loader: DataLoader, max_gib: float) -> InMemoryImages:
    """The images of a loader, in memory.

    Raises:
        ValueError: The loader has a ``collate_fn`` of its own, which has to see the samples, or its
            data set cannot lie in memory.
    """
    if not collates_as_usual(loader.collate_fn):
        raise ValueError(
            f'collate_fn is {inner_collate(loader.collate_fn)!r}, not pseudo_collate or '
            'default_collate'
        )
    if isinstance(loader.dataset, InMemoryImages):
        return loader.dataset
    with generators_kept():  # a pipeline that turns out to be random has drawn
        return in_memory(loader.dataset, max_gib)


def in_memory(dataset: Dataset, max_gib: float) -> InMemoryImages:
    """The data set as :class:`InMemoryImages`.

    Raises:
        ValueError: The images do not fit into ``max_gib`` GiB, or have several sizes, or no index;
            or the pipeline has random transforms that :class:`InMemoryImages` has not.
    """
    if isinstance(dataset, IterableDataset):
        raise ValueError(f'{type(dataset).__name__} is iterable: its images have no index')
    transforms = pipeline_of(dataset)
    options = dict(padding=0, flip_prob=0.0)
    fixed = []
    for number, transform in enumerate(transforms):
        rest = transforms[number:-1]
        # A subclass may do more than its base: it is not replaced.
        if all(type(other) in (RandomCrop, RandomFlip) for other in rest):
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
