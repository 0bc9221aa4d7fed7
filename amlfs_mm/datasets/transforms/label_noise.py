"""Symmetric label noise (the paper's section 4.3)."""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform

from amlfs_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LabelNoise(BaseTransform):
    """Flip a label to any *other* class with a given probability, the same way every time.

    A sample's fate depends on (seed, sample_idx) alone, so the corruption is fixed over epochs,
    candidates and processes. Put it into the training pipeline only: D_v and test stay clean.

    Required keys: ``gt_label``, ``sample_idx`` (mmengine's datasets set it). Changes ``gt_label``.

    Args:
        ratio: Probability of a flip, in [0, 1].
        num_classes: C.
        seed: Of the corruption; unrelated to the run's seed.
        include_true_label: Draw from all C classes, the other convention in use: it leaves a
            share 1 / C of the flips without effect.
    """

    def __init__(
        self, ratio: float, num_classes: int, seed: int = 0, include_true_label: bool = False
    ) -> None:
        if not 0 <= ratio <= 1:
            raise ValueError(f'ratio is a probability in [0, 1], got {ratio}')
        if num_classes < 2:
            raise ValueError(f'num_classes must be >= 2 for a label to flip, got {num_classes}')
        self.ratio = ratio
        self.num_classes = num_classes
        self.seed = seed
        self.include_true_label = include_true_label

    def transform(self, results: dict) -> dict:
        draw = np.random.default_rng([self.seed, results['sample_idx']])
        if draw.random() < self.ratio:
            if self.include_true_label:
                results['gt_label'] = int(draw.integers(self.num_classes))
            else:
                step = 1 + int(draw.integers(self.num_classes - 1))
                results['gt_label'] = (int(results['gt_label']) + step) % self.num_classes
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(ratio={self.ratio}, num_classes={self.num_classes}, '
            f'seed={self.seed}, include_true_label={self.include_true_label})'
        )
