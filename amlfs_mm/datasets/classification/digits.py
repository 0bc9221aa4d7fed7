"""The UCI handwritten digits that scikit-learn carries in its wheel: data without a download."""

from __future__ import annotations

import numpy as np
from mmengine.dataset import BaseDataset

from amlfs_mm.registry import DATASETS
from amlfs_mm.utils.optional_imports import needs_extra

SIZES = dict(train=897, val=300, test=600)


@DATASETS.register_module()
class Digits(BaseDataset):
    """1,797 grey 8 x 8 images of the digits 0-9 in three disjoint, stratified parts.

    The parts are always the same: 897 in ``train``, 300 in ``val`` (D_v), 600 in ``test``. Labels
    are the true ones. :class:`amlfs_mm.LabelNoise` in the training pipeline makes some wrong.

    Credit: E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine
    Learning Repository, as bundled with scikit-learn.

    Args:
        split: ``train``, ``val`` or ``test``.
        pipeline: Transforms; an item starts as ``img`` (8, 8, 3) uint8 and ``gt_label`` int.

    Raises:
        ImportError: scikit-learn is not installed.
        ValueError: There is no such split.
    """

    METAINFO = dict(classes=[str(digit) for digit in range(10)])

    def __init__(self, split: str, pipeline: list = (), **kwargs) -> None:
        if split not in SIZES:
            raise ValueError(f'split must be one of {list(SIZES)}, got {split!r}')
        self.split = split
        super().__init__(pipeline=list(pipeline), **kwargs)

    def load_data_list(self) -> list[dict]:
        """The digits of the split: ``img`` (8, 8) uint8, ``gt_label``, index in the whole set."""
        with needs_extra('digits', 'amlfs_mm.Digits'):
            from sklearn.datasets import load_digits
            from sklearn.model_selection import train_test_split

        digits = load_digits()
        rest, test = train_test_split(
            np.arange(len(digits.target)),
            test_size=SIZES['test'],
            stratify=digits.target,
            random_state=0,
        )
        train, val = train_test_split(
            rest, test_size=SIZES['val'], stratify=digits.target[rest], random_state=0
        )
        images = (digits.images * (255 / 16)).astype(np.uint8)[..., None].repeat(3, axis=-1)
        return [
            dict(img=images[i], img_shape=(8, 8), ori_shape=(8, 8), gt_label=int(digits.target[i]))
            for i in sorted(dict(train=train, val=val, test=test)[self.split])
        ]
