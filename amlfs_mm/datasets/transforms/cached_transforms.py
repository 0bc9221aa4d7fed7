"""Decoding an image once, instead of once in each epoch and for each candidate."""

from __future__ import annotations

import pickle

from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose

from amlfs_mm.registry import TRANSFORMS
from amlfs_mm.utils.randomness import cpu_generators, same_generators


@TRANSFORMS.register_module()
class CachedTransforms(BaseTransform):
    """Transforms whose results are kept in memory, for the start of a pipeline.

    Put those transforms into it that do the same every time: loading, decoding, resizing. Samples
    are bit for bit the same as without it. It helps with small images, and with large ones that the
    pipeline makes small. Neither mmcv nor mmpretrain has one.

    Each loader worker keeps its own results until it ends: set ``persistent_workers=True``.

    Args:
        transforms: Configs of the transforms. They must draw no random numbers.
        max_gib: GiB of results that a process keeps. Further samples are loaded each time.

    Raises:
        ValueError: ``transforms`` is empty or ``max_gib`` is not positive. When a sample is loaded:
            a transform drew a random number, so that its result must not be kept.
    """

    def __init__(self, transforms: list[dict], max_gib: float = 2.0) -> None:
        if not transforms:
            raise ValueError(f'transforms must be one transform or more, got {transforms!r}')
        if not isinstance(max_gib, (int, float)) or not max_gib > 0:
            raise ValueError(f'max_gib must be a number > 0, got {max_gib!r}')
        self.transforms = Compose(transforms)
        self.max_gib = max_gib
        self._room = max_gib * 2**30
        self._kept: dict[bytes, bytes] = {}

    def transform(self, results: dict) -> dict | None:
        """What the transforms make of ``results``; from the cache if they were there before."""
        # The key is all that the transforms get. So a result fits whatever data set they are part
        # of, also a subset or a fold of it.
        key = pickle.dumps(results)
        kept = self._kept.get(key)
        if kept is None:
            kept = pickle.dumps(self._apply(results))
            if len(key) + len(kept) <= self._room:
                self._room -= len(key) + len(kept)
                self._kept[key] = kept
        # A copy each time: the transforms that follow may write into it.
        return pickle.loads(kept)

    def _apply(self, results: dict) -> dict | None:
        before = cpu_generators()
        results = self.transforms(results)
        if not same_generators(before, cpu_generators()):
            raise ValueError(
                f'CachedTransforms would keep the result of a random draw: one of '
                f'{self.transforms} draws random numbers. Move it behind CachedTransforms'
            )
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(transforms={self.transforms}, max_gib={self.max_gib})'
