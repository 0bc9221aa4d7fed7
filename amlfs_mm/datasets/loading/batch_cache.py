"""A data loader that need not load twice what several candidates see alike."""

from __future__ import annotations

from collections.abc import Iterator

from mmengine.structures import BaseDataElement
from torch import Tensor
from torch.utils.data import DataLoader

from amlfs_mm.utils.lazy_data_samples import LazyDataSamples

from .collation import collates_as_usual
from .in_memory_images import InMemoryImages

SAMPLE_BYTES = 2048
"""What a data sample takes beside its tensors; measured: 1 to 2.5 KB."""


class CachedBatchLoader(DataLoader):
    """Keeps whole epochs of batches, augmented and collated, and gives them out again.

    An epoch is known by the stream of its ``batch_sampler``, a :class:`SeededBatchSampler`. The
    batches are the same objects each time: a training step must not write into them (mmengine's
    preprocessors make new tensors).

    Neither torch nor mmengine has a loader that does.

    Args:
        max_bytes: Of what is kept at a time. An epoch that takes more is loaded each time.
        kwargs: As in torch's DataLoader.
    """

    def __init__(self, *args, max_bytes: float, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.max_bytes = max_bytes
        in_memory = isinstance(self.dataset.dataset, InMemoryImages)
        self.makes_whole_batches = in_memory and collates_as_usual(self.collate_fn)
        self.forget()

    def forget(self) -> None:
        """Drop what is kept: the next candidates train other epochs."""
        self._epochs: dict[tuple, list] = {}
        self._room = self.max_bytes

    def __iter__(self) -> Iterator:
        stream = self.batch_sampler.stream
        if self.max_bytes == 0:
            return self._load()
        if stream not in self._epochs:
            return self._load_and_keep(stream)
        # The order is drawn all the same, so that samplers and generators go on as if it were used.
        kept = zip(self._epochs[stream], self.batch_sampler.order(), strict=True)
        return (
            batch for number, (batch, _) in enumerate(kept) if number >= self.batch_sampler.skip
        )

    def _load_and_keep(self, stream: tuple) -> Iterator:
        batches, size = [], 0
        whole = self.batch_sampler.skip == 0
        for batch in self._load():
            size += bytes_of(batch)
            if whole := whole and size <= self._room:
                batches.append(batch)
            else:
                batches.clear()
            yield batch
        if whole:
            self._epochs[stream] = batches
            self._room -= size

    def _load(self) -> Iterator:
        if self.makes_whole_batches:
            # Without workers: to send a batch takes longer than to make it.
            return self.dataset.dataset.batches(self.batch_sampler.batches())
        return super().__iter__()


def bytes_of(batch) -> int:
    """Memory of a batch: its tensors', and about that of its data samples."""
    if isinstance(batch, Tensor):
        return batch.nbytes
    if isinstance(batch, BaseDataElement):
        return SAMPLE_BYTES + sum(map(bytes_of, batch.all_values()))
    if isinstance(batch, LazyDataSamples):
        return SAMPLE_BYTES * len(batch) + batch.labels.nbytes
    if isinstance(batch, dict):
        return sum(map(bytes_of, batch.values()))
    return sum(map(bytes_of, batch)) if isinstance(batch, (list, tuple)) else 0
