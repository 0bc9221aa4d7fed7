"""Label noise: to any other class (the paper's section 4.3), or to the next one."""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform

from amlfs_mm.registry import TRANSFORMS

TARGETS = ('any', 'next')


@TRANSFORMS.register_module()
class LabelNoise(BaseTransform):
    """Change a label to another class with a given probability, the same way every time.

    The draw for a sample depends on the seed and its ``sample_idx`` alone. So its label is the same
    in all epochs, candidates and processes. Put it into the training pipeline only: D_v and the
    test set keep their true labels.

    Needs ``gt_label`` and ``sample_idx`` (mmengine's data sets set it). Changes ``gt_label``.

    Args:
        ratio: Probability of a change, in [0, 1].
        num_classes: C.
        seed: Of the draws. The run's seed does not matter.
        include_true_label: Draw from all C classes instead of the C - 1 others. Much of the
            literature on noisy labels does so; a share 1 / C of the draws then changes nothing, and
            its numbers can only be compared with this option.
        to: ``any``: to any other class, each with the same probability (symmetric noise). ``next``:
            to the next class, and from the last one to class 0 (pair noise).

    Raises:
        ValueError: An option is out of range. On a sample: its label is outside [0, C).
    """

    def __init__(
        self,
        ratio: float,
        num_classes: int,
        seed: int = 0,
        include_true_label: bool = False,
        to: str = 'any',
    ) -> None:
        if not 0 <= ratio <= 1:
            raise ValueError(f'ratio is a probability in [0, 1], got {ratio}')
        if num_classes < 2:
            raise ValueError(f'num_classes must be >= 2 for a label to change, got {num_classes}')
        if to not in TARGETS:
            raise ValueError(f'to must be one of {list(TARGETS)}, got {to!r}')
        if include_true_label and to != 'any':
            raise ValueError(f"include_true_label=True goes with to='any' only, got to={to!r}")
        self.ratio = ratio
        self.num_classes = num_classes
        self.seed = seed
        self.include_true_label = include_true_label
        self.to = to

    def transform(self, results: dict) -> dict:
        """The results, with another ``gt_label`` in the share ``ratio`` of the samples."""
        check_label(results, self.num_classes)
        draw = np.random.default_rng([self.seed, results['sample_idx']])
        if draw.random() < self.ratio:
            if self.to == 'next':
                results['gt_label'] = (int(results['gt_label']) + 1) % self.num_classes
            elif self.include_true_label:
                results['gt_label'] = int(draw.integers(self.num_classes))
            else:
                step = 1 + int(draw.integers(self.num_classes - 1))
                results['gt_label'] = (int(results['gt_label']) + step) % self.num_classes
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(ratio={self.ratio}, num_classes={self.num_classes}, '
            f'seed={self.seed}, include_true_label={self.include_true_label}, '
            f'to={self.to!r})'
        )


def check_label(results: dict, num_classes: int) -> None:
    """A label is in [0, C); LabelNoise would otherwise make it another class without a word.

    Raises:
        ValueError: The label is outside; the message names sample, label and range.

    When:
        A sample is loaded.
    """
    if not 0 <= results['gt_label'] < num_classes:
        raise ValueError(
            f'sample {results["sample_idx"]} ({results.get("img_path", "no file")}) has the label '
            f'{results["gt_label"]}, but LabelNoise has num_classes={num_classes}: labels go from '
            f'0 to {num_classes - 1}'
        )
