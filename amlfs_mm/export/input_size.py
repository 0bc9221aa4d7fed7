"""The size of the images that a config's test pipeline feeds to the model."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from .onnx import preprocessor_of

SIZES = ((601, 467), (480, 720), (512, 512))
"""(H, W) of the images that are sent through a pipeline: larger than what models take."""


def find_size(cfg: Config) -> tuple[int, int]:
    """(H, W) of the model's input in a test.

    The test pipeline is run on drawn images of several sizes. If it makes all of them one size,
    that is the answer. If it leaves them as they are, the backbone's ``input_size`` is.

    Raises:
        ValueError: The config does not determine the size, or its pipeline needs more than images.
    """
    pipeline = find_pipeline(cfg)
    found: set[tuple[int, int]] = set()
    problem = 'the config has no test pipeline'
    if pipeline is not None:
        init_default_scope(cfg.get('default_scope', 'mmpretrain'))
        try:
            found = feed(pipeline, SIZES)
        except Exception as error:
            raise ValueError(
                f'the test pipeline does not run on a drawn image ({error}): give --size H W'
            ) from error
        problem = f'the test pipeline feeds images of several sizes, {_some(found)}'
    if len(found) == 1:
        return _padded(found.pop(), cfg)
    backbone = cfg.model.get('backbone') or {}
    if found in (set(), set(SIZES)) and 'input_size' in backbone:
        size = backbone['input_size']
        return (size, size) if isinstance(size, int) else tuple(size)
    raise ValueError(f'{problem}: give --size H W')


def find_pipeline(cfg: Config) -> list | None:
    """The transforms of the test data set, also of one that is wrapped in others."""
    loader = cfg.get('test_dataloader') or {}
    return _pipeline_in(loader.get('dataset'))


def _pipeline_in(dataset: Any) -> list | None:
    if not isinstance(dataset, dict):
        return None
    if dataset.get('pipeline') is not None:
        return dataset['pipeline']
    inner: Iterable = [dataset.get('dataset'), *(dataset.get('datasets') or [])]
    return next((found for each in inner if (found := _pipeline_in(each)) is not None), None)


def feed(pipeline: list, sizes: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """The sizes (H, W) that a pipeline gives for images of these sizes."""
    transforms = Compose(pipeline)
    found = set()
    with tempfile.TemporaryDirectory() as folder:
        for height, width in sizes:
            image = np.random.default_rng(0).integers(256, size=(height, width, 3), dtype=np.uint8)
            path = Path(folder) / 'image.png'
            cv2.imwrite(str(path), image)
            sample = transforms(_annotation(path, image))
            found.add(tuple(sample['inputs'].shape[-2:]))
    return found


def _annotation(path: Path, image: np.ndarray) -> dict:
    """What a data set tells of an image: as a file, and, for data sets in memory, as an array."""
    size = image.shape[:2]
    return dict(
        img_path=str(path),
        img=image,
        img_shape=size,
        ori_shape=size,
        height=size[0],
        width=size[1],
        gt_label=0,
        sample_idx=0,
        person_id=0,
        camera_id=0,
        role='query',
    )


def _padded(size: tuple[int, int], cfg: Config) -> tuple[int, int]:
    """The size after the data preprocessor, which may pad to a multiple."""
    divisor = preprocessor_of(cfg).get('pad_size_divisor', 1) or 1
    height, width = (-(-side // divisor) * divisor for side in size)
    return height, width


def _some(sizes: set[tuple[int, int]]) -> str:
    return ', '.join(f'{height} x {width}' for height, width in sorted(sizes))
