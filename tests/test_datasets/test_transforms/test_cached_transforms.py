"""A pipeline with a cache gives what it gives without one, and decodes once."""

from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, pseudo_collate
from torch.utils.data import DataLoader

from amlfs_mm.datasets import CachedTransforms, ImageFolder, make_reproducible

LOAD = [dict(type='LoadImageFromFile'), dict(type='Resize', scale=(12, 12))]
# RandomErasing writes into the image that it gets.
AUGMENT = [
    dict(type='mmpretrain.RandomCrop', crop_size=12, padding=2),
    dict(type='mmpretrain.RandomErasing', erase_prob=0.8, mode='rand'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='mmpretrain.PackInputs'),
]
BYTES = 2**30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve images of two classes."""
    draw = np.random.default_rng(0)
    for name in ('a', 'b'):
        (tmp_path / 'train' / name).mkdir(parents=True)
        for i in range(6):
            image = draw.integers(0, 256, (9, 8, 3), dtype=np.uint8)
            cv2.imwrite(str(tmp_path / 'train' / name / f'{i}.png'), image)
    return tmp_path


def images(folder: Path, cached: bool, **options) -> ImageFolder:
    load = [dict(type='amlfs_mm.CachedTransforms', transforms=LOAD, **options)] if cached else LOAD
    return ImageFolder(str(folder), 'train', pipeline=[*load, *AUGMENT])


def epochs(data: ImageFolder, workers: int = 0) -> torch.Tensor:
    """The images (2, 12, 3, 12, 12) and labels of two epochs."""
    loader = DataLoader(
        data,
        batch_size=4,
        sampler=DefaultSampler(data, seed=0),
        num_workers=workers,
        persistent_workers=workers > 0,
        collate_fn=pseudo_collate,
    )
    loader = make_reproducible(loader, seed=1)
    seen = []
    for epoch in range(2):
        loader.batch_sampler.set_epoch(epoch, 0)
        for batch in loader:
            labels = [sample.gt_label for sample in batch['data_samples']]
            seen += [torch.cat([*labels, *(image.flatten() for image in batch['inputs'])])]
    return torch.stack(seen)


@pytest.mark.parametrize('workers', [0, 2])
def test_same_samples(folder: Path, workers: int):
    assert torch.equal(epochs(images(folder, cached=True), workers), epochs(images(folder, False)))


def test_decoded_once(folder: Path):
    data = images(folder, cached=True)
    first = epochs(data)
    for path in folder.rglob('*.png'):
        path.unlink()
    assert torch.equal(epochs(data), first)


def test_what_does_not_fit_is_decoded_again(folder: Path):
    data = images(folder, cached=True, max_gib=3000 / BYTES)  # 432 bytes of pixels an image
    first = epochs(data)
    assert torch.equal(epochs(data), first)
    for path in folder.rglob('*.png'):
        path.unlink()
    there = 0
    for i in range(len(data)):
        with suppress(FileNotFoundError):
            there += data[i] is not None
    assert 1 <= there <= 6


def test_a_subset_gets_its_own_images(folder: Path):
    """mmengine numbers its samples anew, and copies the pipeline with all that it keeps."""
    data = images(folder, cached=True)
    data.pipeline.transforms = data.pipeline.transforms[:1]
    whole = [data[i]['img'] for i in range(12)]
    subset = data.get_subset([7, 2])
    assert np.array_equal(subset[0]['img'], whole[7])
    assert np.array_equal(subset[1]['img'], whole[2])


def test_random_transforms_are_refused(folder: Path):
    load = dict(type='amlfs_mm.CachedTransforms', transforms=[*LOAD, AUGMENT[2]])
    data = ImageFolder(str(folder), 'train', pipeline=[load])
    with pytest.raises(ValueError, match=r'(?s)RandomFlip.* draws random numbers. Move it behind'):
        data[0]


@pytest.mark.parametrize(
    ('options', 'error'),
    [
        (dict(transforms=[]), r'transforms must be one transform or more, got \[\]'),
        (dict(transforms=LOAD, max_gib=0), 'max_gib must be a number > 0, got 0'),
        (dict(transforms=LOAD, max_gib='2GB'), "max_gib must be a number > 0, got '2GB'"),
    ],
)
def test_bad_options(options: dict, error: str):
    with pytest.raises(ValueError, match=error):
        CachedTransforms(**options)
