"""Data order and augmentation fixed by (seed, epoch, candidate), whichever process runs them.

mmengine seeds its loader workers by rank and worker number, so a sample's augmentation depends on
who happened to load it. Here each sample carries its own seed through the loader.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import chain
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from amlfs_mm.utils.randomness import derive_seed, derive_seeds, generators_kept, seed_cpu

from .batch_cache import CachedBatchLoader

# How files and decoders say that an image is missing, truncated or no image: Python and Pillow;
# mmcv's loading transforms; OpenCV.
UNREADABLE = (OSError, EOFError, AssertionError, cv2.error)
MAX_SKIPS = 100


class SeededBatchSampler(Sampler):
    """Batches of (index, seed) over another batch sampler's indices.

    The order comes from the wrapped sampler's ``set_epoch``, set from (seed, epoch, candidate); a
    sample's seed from these and its index (and how often the epoch had drawn it before).
    """

    def __init__(self, batch_sampler: Sampler, seed: int) -> None:
        self.batch_sampler = batch_sampler
        self.seed = seed
        self.stream = (seed, 0, 0)
        self.skip = 0

    def set_epoch(self, epoch: int, candidate: int, skip: int = 0) -> None:
        """Use the order and augmentation of this candidate of this epoch from the next pass on.

        Args:
            epoch: From 0.
            candidate: From 0.
            skip: Batches at the start of the pass to leave out, as already trained.
        """
        self.stream = (self.seed, epoch, candidate)
        self.skip = skip

    def reseed(self, seed: int) -> None:
        """Go on with the seed of a checkpoint, which is read after the loader has been built.

        A wrapped sampler that has a seed of its own keeps it.
        """
        if getattr(self.sampler, 'seed', None) == self.seed:
            self.sampler.seed = seed
        self.seed = seed

    @property
    def sampler(self) -> Sampler:
        """What hooks of mmengine look for (``DistSamplerSeedHook``)."""
        return getattr(self.batch_sampler, 'sampler', self.batch_sampler)

    def order(self) -> Iterator[list[int]]:
        """The batches of the whole pass, as indices."""
        if hasattr(self.sampler, 'set_epoch'):
            # Samplers add their own seed to it: 31 bits leave room.
            self.sampler.set_epoch(derive_seed(*self.stream) % 2**31)
        return iter(self.batch_sampler)

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The batches after ``skip``: the indices and the seeds of each one's samples."""
        order = list(self.order())
        # For a whole epoch at once: numpy takes as long for a batch.
        indices = np.fromiter(chain.from_iterable(order), np.int64)
        seeds = derive_seeds(*self.stream, indices, times_drawn(indices))
        end = 0
        for number, batch in enumerate(order):
            start, end = end, end + len(batch)
            if number >= self.skip:
                yield indices[start:end], seeds[start:end]

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for indices, seeds in self.batches():
            yield list(zip(indices.tolist(), seeds.tolist(), strict=True))

    def __len__(self) -> int:
        return len(self.batch_sampler)


def times_drawn(indices: np.ndarray) -> np.ndarray:
    """How often each of the numbers (N,) had occurred before."""
    ordered = np.sort(indices)
    if (ordered[1:] != ordered[:-1]).all():  # as nearly always
        return np.zeros_like(indices)
    order = np.argsort(indices, kind='stable')
    ordered = indices[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(indices)])
    times = np.empty_like(indices)
    times[order] = np.arange(len(indices)) - np.repeat(starts, np.diff(np.r_[starts, len(indices)]))
    return times


class SeededDataset(Dataset):
    """Loads sample ``(index, seed)`` of another dataset with all CPU generators seeded so.

    Args:
        dataset: The other dataset.
        unreadable: ``'error'``: a sample that cannot be read ends the training, with an error that
            names it. ``'skip'``: another one, drawn by the sample's seed, takes its place, with a
            warning; ``skipped`` counts them over all loader workers of this process.
    """

    def __init__(self, dataset: Dataset, unreadable: str = 'error') -> None:
        if unreadable not in ('error', 'skip'):
            raise ValueError(f"unreadable samples: 'error' or 'skip', got {unreadable!r}")
        self.dataset = dataset
        self.unreadable = unreadable
        self._skipped = torch.multiprocessing.get_context().Value('q', 0)  # loader workers share it

    def __getitem__(self, index_and_seed: tuple[int, int]):
        return self.__getitems__([index_and_seed])[0]

    def __getitems__(self, batch: list[tuple[int, int]]) -> list:
        """What torch's loaders ask for instead of one sample after the other, if it is there."""
        with generators_kept():
            return [self._load(index, seed) for index, seed in batch]

    def _load(self, index: int, seed: int):
        for attempt in range(MAX_SKIPS):
            try:
                seed_cpu(seed)
                return self.dataset[index]
            except UNREADABLE as error:
                message = f'training sample {index}{self._path(index)} cannot be read: {error}'
                if self.unreadable == 'error':
                    raise ValueError(
                        f"{message}. Mend or remove it, or set the hook's unreadable='skip'"
                    ) from error
                warnings.warn(f'{message}. Another one takes its place', stacklevel=2)
                with self._skipped.get_lock():
                    self._skipped.value += 1
                index = derive_seed(seed, attempt) % len(self.dataset)
        raise ValueError(f'{MAX_SKIPS} samples drawn one after the other cannot be read; {message}')

    @property
    def pipeline(self) -> Any:
        """The dataset's pipeline. mmpretrain's ``SwitchRecipeHook`` sets it here."""
        return self.dataset.pipeline

    @pipeline.setter
    def pipeline(self, transforms: Any) -> None:
        self.dataset.pipeline = transforms

    @property
    def skipped(self) -> int:
        """Samples that another one had to replace, since the start."""
        return self._skipped.value

    def _path(self, index: int) -> str:
        if not hasattr(self.dataset, 'get_data_info'):
            return ''
        info = self.dataset.get_data_info(index)
        return f' ({info["img_path"]})' if 'img_path' in info else ''

    def __len__(self) -> int:
        return len(self.dataset)

    def __getattr__(self, name: str):
        # Everything else (metainfo, get_data_info, ...) is the dataset's. Not dunder names: pickle
        # and DataLoader probe for those before `dataset` exists.
        if name.startswith('__') or name == 'dataset':
            raise AttributeError(name)
        return getattr(self.dataset, name)


def make_reproducible(
    loader: DataLoader, seed: int, unreadable: str = 'error', batch_cache_gib: float = 0
) -> CachedBatchLoader:
    """The same loader (batch size, workers, collation), with order and augmentation seeded.

    Its ``batch_sampler`` is a :class:`SeededBatchSampler`, its ``dataset`` a
    :class:`SeededDataset`; it may keep ``batch_cache_gib`` GiB of batches.

    Raises:
        ValueError: The loader does not batch by itself, or its dataset is iterable.
    """
    if loader.batch_sampler is None or isinstance(loader.dataset, torch.utils.data.IterableDataset):
        raise ValueError(
            'a loss search needs a map-style dataset and a batch size in train_dataloader: the '
            f'data order must be known by index; got {type(loader.dataset).__name__}, '
            f'batch_size={loader.batch_size}'
        )
    return CachedBatchLoader(
        SeededDataset(loader.dataset, unreadable),
        batch_sampler=SeededBatchSampler(loader.batch_sampler, seed),
        max_bytes=batch_cache_gib * 2**30,
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        pin_memory=loader.pin_memory,
        timeout=loader.timeout,
        worker_init_fn=loader.worker_init_fn,
        multiprocessing_context=loader.multiprocessing_context,
        # Its own: making an iterator would else draw from the process's generator, or not,
        # depending on the number of workers.
        generator=torch.Generator(),
        prefetch_factor=loader.prefetch_factor,
        persistent_workers=loader.persistent_workers,
        pin_memory_device=loader.pin_memory_device,
    )
