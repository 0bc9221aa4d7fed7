"""Small images as one tensor, shifted and mirrored a batch at a time."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample
from torch import Tensor
from torch.utils.data import Dataset

from amlfs_mm.registry import DATASETS
from amlfs_mm.utils.randomness import cpu_generators, same_generators


@DATASETS.register_module()
class InMemoryImages(Dataset):
    """The images of another data set, decoded once, with the augmentation of CIFAR training.

    A crop of the image's own size from the image with a border of zeros, and a horizontal flip:
    distributed as mmpretrain's ``RandomCrop(padding=...)`` and ``RandomFlip(prob=...)``, with other
    random numbers, at a fraction of the cost. For data sets like CIFAR, on which a GPU trains
    faster than a pipeline makes the images one by one; mmpretrain has pipelines only.

    Args:
        dataset: The other data set, or its config. Its pipeline ends in ``PackInputs``, draws no
            random numbers (``LabelNoise`` has its own, fixed ones), and makes all images one size.
        padding: Width of the border in pixels; 0: no crop.
        flip_prob: Probability of a flip.
        device: Where the images lie and are augmented. On a GPU (``'cuda'``) nothing is copied to
            it in training; its data loader then has neither workers nor ``pin_memory``.

    Raises:
        ValueError: An option is no good; or the pipeline draws random numbers, or gives something
            other than uint8 images of one size.
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
        self.images, self.data_samples = self._load()

    def augmented(self, indices: list[int], seeds: list[int]) -> list[dict]:
        """Samples of a batch, each augmented as its seed says.

        Args:
            indices: Of the samples.
            seeds: A uniform number in [0, 2^32) for each.
        """
        offsets, flip = self._draw(torch.tensor(seeds))
        images = self.images[torch.tensor(indices, device=self.device)]
        images = shift_and_flip(images, self.padding, offsets.to(self.device), flip.to(self.device))
        return [
            dict(inputs=image, data_samples=self.data_samples[index])
            for image, index in zip(images, indices, strict=True)
        ]

    def __getitems__(self, indices: list[int]) -> list[dict]:
        """A batch with draws from numpy's global generator, as mmengine's transforms have them."""
        seeds = np.random.randint(2**32, size=len(indices), dtype=np.uint32)
        return self.augmented(indices, seeds.tolist())

    def __getitem__(self, index: int) -> dict:
        return self.__getitems__([index])[0]

    def __len__(self) -> int:
        return len(self.data_samples)

    def __getattr__(self, name: str):
        # Everything else (metainfo, get_data_info, ...) is the other data set's.
        if name.startswith('__') or name == 'dataset':
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def _draw(self, seeds: Tensor) -> tuple[Tensor, Tensor]:
        """Offsets (N, 2) in [0, 2 padding] and flips (N,): the seeds' digits, in that base."""
        base = 2 * self.padding + 1
        offsets = torch.stack([seeds % base, seeds // base % base], dim=1)
        flip = seeds // base**2 < self.flip_prob * (2**32 // base**2)
        return offsets, flip

    def _load(self) -> tuple[Tensor, list[DataSample]]:
        before = cpu_generators()
        samples = [self.dataset[index] for index in range(len(self.dataset))]
        if not same_generators(before, cpu_generators()):
            raise ValueError(
                'the pipeline in InMemoryImages draws random numbers, but runs only once: keep to '
                'loading, Resize, LabelNoise and PackInputs; it is '
                f'{getattr(self.dataset, "pipeline", None)}'
            )
        kinds = {(tuple(s['inputs'].shape), s['inputs'].dtype) for s in samples}
        if len(kinds) != 1 or next(iter(kinds))[1] != torch.uint8:
            raise ValueError(
                'InMemoryImages needs uint8 images of one size, with Resize in the pipeline if the '
                f'files differ; got {sorted(map(str, kinds))[:5]}'
            )
        images = torch.stack([sample['inputs'] for sample in samples])
        return images.to(self.device), [sample['data_samples'] for sample in samples]


def shift_and_flip(images: Tensor, padding: int, offsets: Tensor, flip: Tensor) -> Tensor:
    """Crops of images (N, C, H, W) from themselves with a border of zeros, some of them mirrored.

    Args:
        images: (N, C, H, W).
        padding: Width of the border.
        offsets: (N, 2), the row and column in the padded image at which a crop begins.
        flip: (N,) bool, which crops to mirror left to right.
    """
    height, width = images.shape[2:]
    rows = torch.arange(height, device=images.device) + offsets[:, :1]
    columns = torch.arange(width, device=images.device)
    columns = torch.where(flip[:, None], columns.flip(0), columns) + offsets[:, 1:]
    images = F.pad(images, [padding] * 4)
    images = images.take_along_dim(rows[:, None, :, None], dim=2)
    return images.take_along_dim(columns[:, None, None, :], dim=3)
