"""Images in one folder a class, in parts train, val and test."""

from __future__ import annotations

import logging
import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from mmengine.logging import print_log
from mmpretrain.datasets import CustomDataset

from amlfs_mm.registry import DATASETS
from amlfs_mm.utils.image_names import IMAGE_EXTENSIONS, is_ignored
from amlfs_mm.utils.paths import user_path
from amlfs_mm.utils.text_lists import loose_name, parse_label, read_lines, unquote

from ..held_out import check_share, hold_out_of_each_class
from ..image_bytes import loading
from ..image_files import list_image_folders, list_images, log_left_out, log_similar_names
from ..image_finder import ImageFinder, Listed

HELD_OUT_PART = 'val'
"""The part that is D_v; its folder may be missing."""


@DATASETS.register_module()
class ImageFolder(CustomDataset):
    """mmpretrain's CustomDataset over ``<data_root>/<split>/<class>/*``, with early errors.

    Every part has the classes of the training part, numbered in the order of their sorted names, so
    that a class has one number everywhere. Images may also be in folders below a class's folder.

    D_v is the folder ``val``. If there is none, ``held_out`` takes a share of the training images
    for it.

    Args:
        data_root: The folder that holds the splits.
        split: Name of a sub-folder, usually ``train``, ``val`` or ``test``.
        classes_from: Name of the sub-folder whose sub-folders are the classes.
        extensions: How an image's name ends.
        held_out: Share of each class's training images that are in ``val`` and do not train, if
            there is no folder ``val``. Both parts need the same ``held_out`` and ``split_seed``.
        split_seed: Draws the held-out images. No other seed changes them.
        kwargs: As in ``CustomDataset``. ``classes`` that are the names of folders set their order;
            others are names to show, one for each folder. With ``ann_file``, lines
            ``<path> <label>`` say which images there are; labels run from 0.

    Raises:
        FileNotFoundError: There is no such folder, none of its sub-folders holds an image, or an
            image of ``ann_file`` is not there.
        ValueError: The split has a class that the training part lacks, ``classes`` do not fit, a
            line of ``ann_file`` is wrong, or nothing can be held out; the message names the folder,
            or file and line.
    """

    def __init__(
        self,
        data_root: str,
        split: str,
        classes_from: str = 'train',
        extensions: Sequence[str] = IMAGE_EXTENSIONS,
        held_out: float = 0.0,
        split_seed: int = 0,
        **kwargs,
    ) -> None:
        data_root = str(user_path(data_root))
        extensions = tuple(end.lower() for end in extensions)
        self.split = split
        self.held_out = held_out
        self.split_seed = split_seed
        check_share(held_out)
        by_folders = not kwargs.get('ann_file') and kwargs.get('with_label', True)
        if held_out and not by_folders:
            raise ValueError(
                f'held_out={held_out} draws from images in folders of classes: leave it out with '
                'ann_file or with_label=False, and give train and val a list of their own'
            )
        no_val = not os.path.isdir(os.path.join(data_root, HELD_OUT_PART))
        self._is_split = bool(held_out) and no_val and split in (HELD_OUT_PART, classes_from)
        folder = classes_from if self._is_split else split
        self._folder = os.path.join(data_root, folder)
        self._classes_folder = os.path.join(data_root, classes_from)
        self._check_folder(extensions, by_folders)
        super().__init__(data_root=data_root, data_prefix=folder, extensions=extensions, **kwargs)

    def _check_folder(self, extensions: Sequence[str], by_folders: bool) -> None:
        """The part's folder is there; with sub-folders for classes, these hold images."""
        expected = f'expected {os.path.join(self._folder, "<class>", "<image>.png")}'
        if not os.path.isdir(self._folder):
            what = 'a file, and no folder,' if os.path.exists(self._folder) else 'no folder'
            raise FileNotFoundError(
                f'there is {what} {self._folder!r} for the {self.split} part: {expected}. Set '
                'DATA_ROOT, or data_root in the config, to the folder that holds train, val and '
                'test'
                + (
                    '; or give train and val held_out=0.1, to take a tenth of train for val'
                    if self.split == HELD_OUT_PART
                    else ''
                )
            )
        if by_folders:
            self._listing = list_image_folders(self._folder, extensions)
            if not any(self._listing.images):
                raise FileNotFoundError(
                    f'the folder {self._folder!r} holds no class with images: {expected}; images '
                    f'end in {", ".join(extensions)}'
                )

    def load_data_list(self) -> list[dict]:
        """The images of the split: ``img_path``, and ``gt_label`` by the classes of ``train``."""
        if self.ann_file:
            samples = self._read_ann_file()
        elif self.with_label:
            samples = self._find_samples()
        else:
            listing = list_images(self._folder, extensions=self.extensions)
            log_left_out(self._folder, listing.left_out)
            samples = [(path, None) for path in listing.images]
            if not samples:
                raise FileNotFoundError(
                    f'the folder {self._folder!r} holds no image: images end in '
                    f'{", ".join(self.extensions)}'
                )
        return [
            dict(img_path=os.path.join(self._folder, path))
            | ({} if label is None else dict(gt_label=label))
            for path, label in samples
        ]

    def prepare_data(self, idx: int) -> dict:
        """A sample as the pipeline makes it; TIFF values of unknown range are an error."""
        with loading(self.get_data_info(idx)['img_path'], transforms=self.pipeline.transforms):
            return super().prepare_data(idx)

    def _find_samples(self) -> list[tuple[str, int]]:
        """The paths below the split's folder, and the labels, by sub-folders."""
        listing, self._listing = self._listing, None  # loader workers need no copy of it
        number = self._number_classes(listing.names)
        log_left_out(self._folder, listing.left_out)
        log_similar_names(self._folder, listing.names)
        self.folder_to_idx = {name: number[loose_class(name)] for name in listing.names}
        samples = [
            (f'{name}/{image}', self.folder_to_idx[name])
            for name, images in zip(listing.names, listing.images, strict=True)
            for image in images
        ]
        if self._is_split:
            samples = self._part_of(samples)
        without = set(number.values()) - {label for _, label in samples}
        if without:
            names = [self.CLASSES[label] for label in sorted(without)]
            print_log(
                f'{self._folder!r} has no image of {len(names)} of {len(self.CLASSES)} classes, '
                f'such as {names[:5]}',
                logger='current',
                level=logging.WARNING,
            )
        return samples

    def _part_of(self, samples: list[tuple[str, int]]) -> list[tuple[str, int]]:
        """The samples of the training folder that are this part's: held out, or trained on."""
        try:
            apart = hold_out_of_each_class(
                [label for _, label in samples], self.held_out, self.split_seed
            )
        except ValueError as error:
            raise ValueError(f'{self._folder!r}: {error}') from error
        in_val = self.split == HELD_OUT_PART
        part = [s for s, is_apart in zip(samples, apart, strict=True) if is_apart == in_val]
        print_log(
            f'there is no folder {HELD_OUT_PART!r} beside {self._folder!r}: {sum(apart)} of its '
            f'{len(samples)} images are D_v (held_out={self.held_out}, '
            f'split_seed={self.split_seed}); the other {len(samples) - sum(apart)} train',
            logger='current',
        )
        return part

    def _number_classes(self, folders: Sequence[str]) -> dict[str, int]:
        """The label of each class by its :func:`loose_class`; sets ``metainfo['classes']``.

        Args:
            folders: Names of the split's sub-folders.

        Raises:
            FileNotFoundError: There is no training part to take the classes from.
            ValueError: The split has a class that the training part lacks, or ``classes`` do not
                fit.
        """
        names = self._training_classes(folders)
        given = self.CLASSES and [unquote(str(name)) for name in self.CLASSES]
        if given and set(map(loose_class, names)) & set(map(loose_class, given)):
            names, source = given, 'classes'
        else:
            source = f'the folder {self._classes_folder!r}'
            if given and len(given) != len(names):
                raise ValueError(
                    f'classes has {len(given)} names, but {source} has {len(names)} classes: '
                    f'{names[:5]}'
                )
        number: dict[str, int] = {}
        for label, name in enumerate(names):
            if number.setdefault(loose_class(name), label) != label:
                raise ValueError(
                    f'{source} has the class {name!r} twice, in letters that look the same: '
                    'rename one'
                )
        check_classes(self._folder, folders, names, source)
        if not given:
            self._metainfo['classes'] = tuple(names)
        return number

    def _training_classes(self, folders: Sequence[str]) -> list[str]:
        """The classes as the training part has them; if it is not there, as ``classes`` has."""
        if self._folder == self._classes_folder:
            return list(folders)
        if os.path.isdir(self._classes_folder):
            return list_folders(self._classes_folder)
        if self.CLASSES and set(map(loose_class, folders)) <= set(map(loose_class, self.CLASSES)):
            return list(self.CLASSES)
        raise FileNotFoundError(
            f'there is no folder {self._classes_folder!r}, whose sub-folders number the classes of '
            f'{self._folder!r}: set classes_from to the name of the training part, or classes to '
            'the names of the folders'
        )

    def _read_ann_file(self) -> list[tuple[str, int | None]]:
        """The images and labels of ``ann_file``.

        Raises:
            FileNotFoundError: An image is not there.
            ValueError: A line is wrong.
        """
        num_classes = len(self.CLASSES) if self.CLASSES else None
        finder = ImageFinder(self._folder)
        samples: list[tuple[str, int | None]] = []
        listed = Listed()
        for line in read_lines(self.ann_file):
            if self.with_label:
                name, label = parse_label(self.ann_file, line, num_classes)
            else:
                name, label = unquote(line.text), None
            path = finder.find(self.ann_file, line, name)
            listed.check_one_label(self.ann_file, line, name, path, label)
            samples.append((path, label))
        if not samples:
            raise ValueError(f'{self.ann_file} lists no image: expected lines <path> <label>')
        finder.log(self.ann_file)
        return samples


def count_classes(data_root: str, classes_from: str = 'train') -> int | None:
    """How many classes the training part of an image folder has; None if it is not there."""
    folder = user_path(data_root) / classes_from
    return len(list_folders(folder)) if folder.is_dir() else None


def check_classes(folder: str, folders: Sequence[str], classes: Sequence[str], source: str) -> None:
    """Every part of an image folder has only classes that the training part has.

    Args:
        folder: The part's folder.
        folders: Names of its sub-folders.
        classes: Those of the training part.
        source: Where these come from, for the error.

    Raises:
        ValueError: A part has another class; the message names its folder.

    When:
        A data set is built.
    """
    known = {loose_class(name) for name in classes}
    for name in folders:
        if loose_class(name) in known:
            continue
        near = [other for other in classes if loose_name(other) == loose_name(name)]
        raise ValueError(
            f'{os.path.join(folder, name)!r} is a class that {source} lacks'
            + (f'; is it {near[0]!r}?' if near else '')
            + f'. The classes are {list(classes[:5])}{" and so on" * (len(classes) > 5)}: remove '
            'the folder, or put images of that class into the training part'
        )


def loose_class(name: str) -> str:
    """A class's name with its letters composed (NFC), as not every system stores them."""
    return unicodedata.normalize('NFC', name)


def list_folders(root: str | Path) -> list[str]:
    """The sub-folders of a folder, sorted, without hidden ones and those of the system."""
    with os.scandir(root) as entries:
        return sorted(e.name for e in entries if e.is_dir() and not is_ignored(e.name))
