"""Drawn 8 x 8 images of any number of classes, to try out what many classes change."""

from __future__ import annotations

import numpy as np
from mmengine.dataset import BaseDataset

from amlfs_mm.registry import DATASETS

IMAGES_PER_CLASS = dict(train=4, val=1, test=2)


@DATASETS.register_module()
class DrawnClasses(BaseDataset):
    """Each class is a random image. Each of its samples is that image with noise.

    A class has 4 images in ``train``, 1 in ``val`` (D_v) and 2 in ``test``. Class c is the same
    whatever the number of classes.

    Args:
        split: ``train``, ``val`` or ``test``.
        num_classes: C, at least 2.
        noise: Standard deviation of the noise; values are in [0, 255].
        pipeline: Transforms; an item starts as ``img`` (8, 8, 3) uint8 and ``gt_label`` int.

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(
        self, split: str, num_classes: int, noise: float = 80.0, pipeline: list = (), **kwargs
    ) -> None:
        if split not in IMAGES_PER_CLASS:
            raise ValueError(f'split must be one of {list(IMAGES_PER_CLASS)}, got {split!r}')
        if num_classes < 2:
            raise ValueError(f'num_classes must be >= 2, got {num_classes}')
        if not noise >= 0:
            raise ValueError(f'noise must be >= 0, got {noise}')
        self.split = split
        self.num_classes = num_classes
        self.noise = noise
        super().__init__(pipeline=list(pipeline), **kwargs)

    def load_data_list(self) -> list[dict]:
        """The images of the split, drawn when they are loaded, with their ``gt_label``."""
        part = list(IMAGES_PER_CLASS).index(self.split)
        items = []
        for label in range(self.num_classes):
            prototype = np.random.default_rng([label, 0]).uniform(0, 255, (8, 8, 3))
            draw = np.random.default_rng([label, 1 + part])
            for _ in range(IMAGES_PER_CLASS[self.split]):
                image = prototype + draw.normal(0, self.noise, prototype.shape)
                image = image.clip(0, 255).astype(np.uint8)
                items.append(dict(img=image, img_shape=(8, 8), ori_shape=(8, 8), gt_label=label))
        return items
