"""Verification sets: pairs of faces, of one person or of two."""

from __future__ import annotations

from pathlib import Path

from mmengine.dataset import BaseDataset

from amlfs_mm.registry import DATASETS
from amlfs_mm.utils.paths import user_path

from ..image_bytes import loading
from .lfw_pairs import read_lfw_pairs
from .records.verification_bin import read_verification_bin


@DATASETS.register_module()
class FacePairs(BaseDataset):
    """Pairs of images in insightface's ``.bin`` files, or by a list like LFW's over a folder.

    Items 2k and 2k + 1 are the images of pair k: ``pair_index`` is k, ``side`` 0 or 1. An item also
    has ``img_path`` (in ``.bin`` files ``...lfw.bin#<number>``), ``img_bytes``, which
    :class:`amlfs_mm.LoadWholeImage` decodes, and ``is_same``. ``metainfo['is_same']`` has all
    pairs' flags, for :class:`amlfs_mm.FaceVerification`.

    Args:
        pairs: A ``.bin`` file, or a list in the format of :mod:`amlfs_mm.datasets.faces.lfw_pairs`.
        data_root: The folder of the list's images; not with a ``.bin`` file.
        pipeline: Transforms.
        kwargs: As in mmengine's ``BaseDataset``.

    Raises:
        FileNotFoundError, ValueError: As in :func:`read_verification_bin`, :func:`read_lfw_pairs`.
    """

    def __init__(
        self, pairs: str, data_root: str | None = None, pipeline: list = (), **kwargs
    ) -> None:
        if (data_root is None) != str(pairs).lower().endswith('.bin'):
            raise ValueError(
                f'pairs={str(pairs)!r} with data_root={data_root!r}: a .bin file holds its images, '
                'a list needs the folder that its images are in'
            )
        self.pairs = str(user_path(pairs))
        self.source_root = None if data_root is None else str(user_path(data_root))
        super().__init__(pipeline=list(pipeline), **kwargs)

    def load_data_list(self) -> list[dict]:
        """Two images for each pair: ``pair_index``, ``side``, whether they show one person."""
        if self.source_root is None:
            self._images, is_same = read_verification_bin(self.pairs)
            paths = [f'{self.pairs}#{number}' for number in range(len(self._images))]
        else:
            pairs, is_same = read_lfw_pairs(self.pairs, self.source_root)
            paths = [path for pair in pairs for path in pair]
        self._metainfo['is_same'] = is_same
        return [
            dict(
                img_path=path,
                pair_index=number // 2,
                side=number % 2,
                is_same=is_same[number // 2],
            )
            for number, path in enumerate(paths)
        ]

    def prepare_data(self, idx: int) -> dict:
        """A sample as the pipeline makes it from the encoded image."""
        info = self.get_data_info(idx)
        if self.source_root is None:
            content = self._images[2 * info['pair_index'] + info['side']]
        else:
            content = Path(info['img_path']).read_bytes()
        with loading(info['img_path'], content, self.pipeline.transforms):
            return self.pipeline(dict(info, img_bytes=content))
