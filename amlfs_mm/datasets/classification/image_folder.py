"""Images in one folder a class, in parts train, val and test."""

from __future__ import annotations

import os

from mmpretrain.datasets import CustomDataset

from amlfs_mm.registry import DATASETS


@DATASETS.register_module()
class ImageFolder(CustomDataset):
    """mmpretrain's CustomDataset over ``<data_root>/<split>/<class>/*``, with early errors.

    Classes are numbered in the order of their sorted names.

    Args:
        data_root: The folder that holds the splits.
        split: Name of a sub-folder, usually ``train``, ``val`` or ``test``.
        kwargs: As in ``CustomDataset``.

    Raises:
        FileNotFoundError: There is no such folder, or none of its sub-folders holds an image.
    """

    def __init__(self, data_root: str, split: str, **kwargs) -> None:
        folder = os.path.join(data_root, split)
        expected = f'expected {os.path.join(folder, "<class>", "<image>.png")}'
        if not os.path.isdir(folder):
            raise FileNotFoundError(
                f'there is no folder {folder!r} for the {split} part: {expected}. Set DATA_ROOT, '
                'or data_root in the config, to the folder that holds train, val and test'
            )
        if not any(entry.is_dir() and os.listdir(entry) for entry in os.scandir(folder)):
            raise FileNotFoundError(f'the folder {folder!r} holds no class with images: {expected}')
        super().__init__(data_root=data_root, data_prefix=split, **kwargs)
