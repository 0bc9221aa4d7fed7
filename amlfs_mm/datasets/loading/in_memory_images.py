"""Small images as one tensor, shifted and mirrored a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample
from torch import Tensor
from torch.utils.data import Dataset

from amlfs_mm.registry import DATASETS
from amlfs_mm.utils.lazy_data_samples import LazyDataSamples, Selection
from amlfs_mm.utils.randomness import cpu_generators, same_generators


@DATASETS.register_module()
class InMemoryImages(Dataset):
    """The images of another data set, decoded once, with the augmentation of CIFAR training.

    A crop of the image's own size from the image with a border of zeros, and a horizontal flip:
    distributed as mmpretrain's ``RandomCrop(padding=...)`` and ``RandomFlip(prob=...)``, with other
    random numbers, at a fraction of the cost. For data sets like CIFAR, on which a GPU trains
    faster than a pipeline makes the images one by one; mmpretrain has pipelines only. Data that are
    evaluated take ``padding=0`` and ``flip_prob=0``.

    Args:
        dataset: The other data set, or its config. Its pipeline ends in ``PackInputs``, draws no
            random numbers (``LabelNoise`` has its own, fixed ones), and makes all images one size,
            each with one class.
        padding: Width of the border in pixels; 0: no crop.
        flip_prob: Probability of a flip.
        device: Where the images lie and are augmented. On a GPU (``'cuda'``) nothing is copied to
            it in training; its data loader then has neither workers nor ``pin_memory``.

    Raises:
        ValueError: An option is invalid, or there is no image, or the pipeline draws random
            numbers or gives something other than uint8 images of one size with one class each.
    """

    def __init__(
        self,
        dataset: Dataset | dict,
        padding: int = 4,
        flip_prob: float = 0.5,
        device: str = 'cpu',
    ) -> None:
        if not isinstance(padding, int) or not 0 <= padding < 256:
            raise ValueError(f'padding must be a whole number in [0, 255], got {padding!r}')
        if not 0 <= flip_prob <= 1:
            raise ValueError(f'flip_prob is a probability in [0, 1], got {flip_prob!r}')
        try:
            self.device = torch.empty(0, device=device).device
        except (RuntimeError, AssertionError) as error:
            raise ValueError(f'device must be one that is here, got {device!r}: {error}') from error
        self.dataset = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self.padding = padding
        self.flip_prob = flip_prob
        self.images, self.labels, self.data_samples = self._load()
        lowest, highest = self.labels.aminmax()
        self.label_range = int(lowest), int(highest)

    @property
    def augments(self) -> bool:
        """Whether an image is not always the same."""
        return bool(self.padding or self.flip_prob)

    @property
    def pipeline(self) -> Any:
        """The pipeline that the images have gone through; None if the other data set has none.

        Raises:
            ValueError: Somebody sets another one, as mmpretrain's ``SwitchRecipeHook`` does.
        """
        return getattr(self.dataset, 'pipeline', None)

    @pipeline.setter
    def pipeline(self, transforms: Any) -> None:
        raise ValueError(
            'InMemoryImages cannot take another pipeline: the images have gone through theirs when '
            'they were loaded. Leave InMemoryImages out, and set in_memory_gib=0'
        )

    def batch(self, indices: list[int], seeds: Sequence[int] | None = None) -> dict:
        """The images (N, C, H, W) uint8 and their :class:`LazyDataSamples`.

        Args:
            indices: Of the N samples, at least one.
            seeds: A uniform number in [0, 2^32) for each, which decides its augmentation. None:
                they are drawn from numpy's global generator, as mmengine's transforms draw.
        """
        images, labels = self._take(indices)
        if self.augments:
            if seeds is None:
                seeds = np.random.randint(2**32, size=len(indices), dtype=np.uint32)
            offsets, flip = self._draw(np.asarray(seeds, np.int64))
            images = shift_and_flip(images, self.padding, offsets, flip)
        return dict(inputs=images, data_samples=self._samples(labels, indices))

    def batches(self, order: Iterable[tuple[np.ndarray, np.ndarray]]) -> Iterator[dict]:
        """:meth:`batch` of each (indices, seeds) of an epoch.

        How all images of the epoch are augmented is drawn at once, and a GPU is told once.
        """
        order = list(order)
        if not order:
            return
        rows = torch.as_tensor(np.concatenate([indices for indices, _ in order])).to(self.device)
        seeds = np.concatenate([seeds for _, seeds in order]).astype(np.int64)
        offsets, flips = (draw.to(self.device) for draw in self._draw(seeds))
        end = 0
        for indices, _ in order:
            start, end = end, end + len(indices)
            images = self.images.index_select(0, rows[start:end])
            if self.augments:
                images = shift_and_flip(images, self.padding, offsets[start:end], flips[start:end])
            labels = self.labels.index_select(0, rows[start:end])
            yield dict(inputs=images, data_samples=self._samples(labels, indices))

    def __getitems__(self, indices: list[int]) -> list[dict]:
        """A batch for loaders that collate samples."""
        batch = self.batch(indices)
        return [
            dict(inputs=image, data_samples=sample)
            for image, sample in zip(batch['inputs'], batch['data_samples'], strict=True)
        ]

    def __getitem__(self, index: int) -> dict:
        return self.__getitems__([index])[0]

    def __len__(self) -> int:
        return len(self.data_samples)

    def __getattr__(self, name: str):
        # Everything else (metainfo, get_data_info, ...) is the other data set's.
        if name.startswith('__') or name == 'dataset':
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def _take(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        """Images and labels; in their own order, as in an evaluation, they are not copied."""
        first, count = indices[0], len(indices)
        if indices[-1] == first + count - 1 and indices == list(range(first, first + count)):
            return self.images[first : first + count], self.labels[first : first + count]
        rows = torch.as_tensor(indices).to(self.device, non_blocking=True)
        return self.images.index_select(0, rows), self.labels.index_select(0, rows)

    def _samples(self, labels: Tensor, indices: Sequence[int] | np.ndarray) -> LazyDataSamples:
        sources = Selection(self.data_samples, indices)
        return LazyDataSamples(labels, sources, label_range=self.label_range)

    def _draw(self, seeds: np.ndarray) -> tuple[Tensor, Tensor]:
        """Offsets (N, 2) in [0, 2 padding] and flips (N,): the seeds' digits, in that base."""
        base = 2 * self.padding + 1
        offsets = np.stack([seeds % base, seeds // base % base], axis=1)
        # The last seeds are a part of one more step: with a probability of 1 they count, too.
        steps = 2**32 // base**2 if self.flip_prob < 1 else 2**32
        flip = seeds // base**2 < self.flip_prob * steps
        return torch.from_numpy(offsets), torch.from_numpy(flip)

    def _load(self) -> tuple[Tensor, Tensor, list[DataSample]]:
        if not len(self.dataset):
            raise ValueError(f'InMemoryImages: {type(self.dataset).__name__} has no image')
        before = cpu_generators()
        first = self._packed(0)
        self._check_not_random(before)  # before all others are decoded in vain
        kind = kind_of(first['inputs'])
        if kind[1] is not torch.uint8:
            raise ValueError(f'InMemoryImages needs uint8 images of one size; image 0 is {kind}')
        # One tensor from the start: a list of all images beside it would be the memory twice.
        images = torch.empty(len(self.dataset), *kind[0], dtype=torch.uint8)
        data_samples: list[DataSample] = []
        for index in range(len(self.dataset)):
            sample = self._packed(index) if index else first
            image, data_sample = sample['inputs'], sample['data_samples']
            if kind_of(image) != kind:
                raise ValueError(
                    'InMemoryImages needs uint8 images of one size, with Resize in the pipeline if '
                    f'the files differ; image 0 is {kind}, image {index} is {kind_of(image)}'
                )
            classes = len(data_sample.get('gt_label', torch.empty(0)))
            if classes != 1:
                raise ValueError(
                    f'InMemoryImages needs one class an image (gt_label), but image {index} has '
                    f'{classes}'
                )
            images[index] = image
            data_samples.append(data_sample)
        self._check_not_random(before)
        labels = torch.cat([sample.gt_label for sample in data_samples])
        return images.to(self.device), labels.to(self.device), data_samples

    def _packed(self, index: int) -> dict:
        """A sample of the other data set."""
        sample = self.dataset[index]
        if isinstance(sample, dict) and {'inputs', 'data_samples'} <= sample.keys():
            return sample
        raise ValueError(
            f'InMemoryImages needs a pipeline that ends in PackInputs; it is {self.pipeline}'
        )

    def _check_not_random(self, before: tuple) -> None:
        if not same_generators(before, cpu_generators()):
            raise ValueError(
                'the pipeline in InMemoryImages draws random numbers, but runs only once: keep to '
                f'loading, Resize, LabelNoise and PackInputs; it is {self.pipeline}'
            )


def kind_of(image: Any) -> tuple:
    """Shape and type of numbers of an image; of something else its class."""
    return (tuple(image.shape), image.dtype) if isinstance(image, Tensor) else (type(image), None)


def shift_and_flip(images: Tensor, padding: int, offsets: Tensor, flip: Tensor) -> Tensor:
    """Crops of images (N, C, H, W) from themselves with a border of zeros, some of them mirrored.

    Args:
        images: (N, C, H, W), on any device.
        padding: Width of the border.
        offsets: (N, 2), the row and column in the padded image at which a crop begins.
        flip: (N,) bool, which crops to mirror left to right.
    """
    if images.device.type != 'cpu':
        offsets = offsets.to(images.device, non_blocking=True)
        return crop_on_device(images, padding, offsets, flip.to(images.device, non_blocking=True))
    # Image by image: numpy copies whole rows, faster by far than an index for each pixel.
    height, width = images.shape[2:]
    source = F.pad(images, [padding] * 4).numpy()
    crops = np.empty(images.shape, source.dtype)
    places = zip(*offsets.T.tolist(), flip.tolist(), strict=True)
    for number, (top, left, mirrored) in enumerate(places):
        crop = source[number, :, top : top + height, left : left + width]
        crops[number] = crop[:, :, ::-1] if mirrored else crop
    return torch.from_numpy(crops)


def crop_on_device(images: Tensor, padding: int, offsets: Tensor, flip: Tensor) -> Tensor:
    """What :func:`shift_and_flip` returns, by a few operations where all four tensors lie."""
    height, width = images.shape[2:]
    windows = F.pad(images, [padding] * 4).unfold(2, height, 1).unfold(3, width, 1)
    number = torch.arange(len(images), device=images.device)
    crops = windows[number, :, offsets[:, 0], offsets[:, 1]]  # of (N, C, top, left, H, W)
    return torch.where(flip[:, None, None, None], crops.flip(3), crops)
