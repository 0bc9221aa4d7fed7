"""Images as encoded bytes in one array of a NumPy archive: a whole data set in one small file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset

from amlfs_mm.registry import DATASETS
from amlfs_mm.utils.paths import user_path

ARRAYS = ('jpeg', 'end', 'label', 'classes')


@DATASETS.register_module()
class JPEGArchive(BaseDataset):
    """The images of ``<data_root>/<split>.npz``, decoded by :class:`amlfs_mm.LoadWholeImage`.

    The archive holds ``jpeg`` (bytes, uint8, one image after the other), ``end`` (N, integers:
    image i is ``jpeg[end[i - 1]:end[i]]``), ``label`` (N, integers) and ``classes`` (the names).
    PNG and other formats work as well.

    An item starts as ``img_bytes``, ``img_path`` (the archive and the image's number in it) and
    ``gt_label``.

    Args:
        data_root: The folder that holds the archives.
        split: An archive's name without ``.npz``, usually ``train`` or ``test``.
        order_seed: Draws the order of the images; None keeps the archive's. Archives are often
            sorted by class, so that ``indices`` of their own order would be few classes.
        pipeline: Transforms; the first is ``LoadWholeImage``.
        kwargs: As in mmengine's ``BaseDataset``. ``indices`` choose images after the order is
            drawn: the same seed and disjoint indices give disjoint parts.

    Raises:
        FileNotFoundError: There is no such archive.
        ValueError: It is damaged, lacks an array, or its arrays do not fit together; the message
            names the archive and the array.
    """

    def __init__(
        self,
        data_root: str,
        split: str,
        order_seed: int | None = None,
        pipeline: list = (),
        **kwargs,
    ) -> None:
        self.split = split
        self.order_seed = order_seed
        super().__init__(data_root=str(user_path(data_root)), pipeline=list(pipeline), **kwargs)

    def load_data_list(self) -> list[dict]:
        """The images in their order: ``img_bytes``, ``img_path`` and ``gt_label``."""
        path = Path(self.data_root) / f'{self.split}.npz'
        arrays = read_arrays(path)
        check_arrays(path, arrays)
        self._metainfo['classes'] = tuple(str(name) for name in arrays['classes'])
        content, end, label = arrays['jpeg'].tobytes(), arrays['end'], arrays['label']
        order = np.arange(len(end))
        if self.order_seed is not None:
            order = np.random.default_rng(self.order_seed).permutation(len(end))
        start = np.concatenate([[0], end[:-1]])
        return [
            dict(
                img_bytes=content[start[i] : end[i]],
                img_path=f'{path}#{i}',
                gt_label=int(label[i]),
            )
            for i in order
        ]


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an archive.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no archive, is damaged, or lacks an array.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f'there is no archive {str(path)!r}: set DATA_ROOT, or data_root in the config, to the '
            'folder that holds train.npz and test.npz'
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # on damaged files zipfile, zlib and numpy raise many kinds
        raise ValueError(f'{path} cannot be read as a NumPy archive: copy it anew ({error})') from (
            error
        )
    missing = [name for name in ARRAYS if name not in arrays]
    if missing:
        raise ValueError(f'{path} lacks the arrays {missing}: it must hold {list(ARRAYS)}')
    return arrays


def check_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """An archive's images lie in its bytes, one after the other, each with the label of a class.

    Raises:
        ValueError: An array does not fit; the message names the archive and the array.

    When:
        A data set is built.
    """
    content, end, label, classes = (arrays[name] for name in ARRAYS)
    if content.dtype != np.uint8 or content.ndim != 1:
        raise ValueError(
            f"{path}: 'jpeg' must be one row of uint8, got {content.dtype} {content.shape}"
        )
    for name, array in dict(end=end, label=label).items():
        if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
            raise ValueError(
                f'{path}: {name!r} must be one row of integers, got {array.dtype} {array.shape}'
            )
    if len(end) != len(label) or not len(end):
        raise ValueError(
            f"{path}: 'end' and 'label' must have one number an image, got {len(end)} and "
            f'{len(label)}'
        )
    lengths = np.diff(end.astype(np.int64), prepend=0)
    if lengths.min() < 1 or end[-1] != len(content):
        raise ValueError(
            f"{path}: 'end' must rise to the length of 'jpeg', {len(content)}; it ends at "
            f'{end[-1]}, and image {lengths.argmin()} has {lengths.min()} bytes'
        )
    if label.min() < 0 or label.max() >= len(classes):
        raise ValueError(
            f"{path}: 'label' must be in [0, {len(classes)}), the number of 'classes'; it goes "
            f'from {label.min()} to {label.max()}'
        )
