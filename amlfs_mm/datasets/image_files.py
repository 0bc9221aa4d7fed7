"""Which images a folder holds: the one place for all data sets."""

from __future__ import annotations

import logging
import os
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mmengine.logging import print_log

from amlfs_mm.utils.image_names import IMAGE_EXTENSIONS, is_ignored, is_image_name


class Listing(NamedTuple):
    """What a folder holds."""

    images: list[str]
    """Paths below the folder, with '/', sorted."""
    left_out: list[str]
    """The same of everything else, except hidden files and those of the system."""


class ImageFolders(NamedTuple):
    """What a folder with one sub-folder a class (or identity) holds."""

    names: list[str]
    """The sub-folders, sorted."""
    images: list[list[str]]
    """For each sub-folder, the paths of its images below the sub-folder, sorted."""
    left_out: list[str]
    """As in :class:`Listing`."""


def list_images(
    folder: str | Path, recursive: bool = True, extensions: Sequence[str] = IMAGE_EXTENSIONS
) -> Listing:
    """The images in a folder. Links are followed; hidden and system files are ignored.

    Args:
        folder: The folder.
        recursive: Whether to look into its sub-folders. If not, they are left out.
        extensions: How an image's name ends, in lower case.

    Raises:
        FileNotFoundError: There is no such folder, or a link leads to a file that is not there.
        OSError: The folder cannot be listed, or a link leads back to a folder that holds it.
    """
    images, left_out = [], []
    _walk(str(folder), '', recursive, extensions, images, left_out, ())
    return Listing(sorted(images), sorted(left_out))


def list_image_folders(
    root: str | Path, extensions: Sequence[str] = IMAGE_EXTENSIONS
) -> ImageFolders:
    """The images in the sub-folders of a folder, each sub-folder a class.

    Files beside the sub-folders belong to no class: they are left out.

    Raises:
        OSError: As in :func:`list_images`.
    """
    names, left_out = [], []
    with os.scandir(root) as entries:
        for entry in entries:
            if is_ignored(entry.name):
                continue
            check_link(entry)
            (names if entry.is_dir() else left_out).append(entry.name)
    images = []
    for name in sorted(names):
        listing = list_images(os.path.join(root, name), extensions=extensions)
        images.append(listing.images)
        left_out += [f'{name}/{path}' for path in listing.left_out]
    return ImageFolders(sorted(names), images, sorted(left_out))


def log_left_out(folder: str | Path, left_out: Sequence[str]) -> None:
    """Say in the log how many files of a folder are not used, and which kinds they are."""
    if not left_out:
        return
    kinds = Counter(os.path.splitext(path)[1].lower() or 'without extension' for path in left_out)
    counts = ', '.join(f'{count} {kind}' for kind, count in kinds.most_common(5))
    print_log(
        f'{str(folder)!r}: {len(left_out)} files or folders are left out, because they are no '
        f'images or in no class: {counts}; the first is {left_out[0]!r}. Images end in '
        f'{", ".join(IMAGE_EXTENSIONS)}',
        logger='current',
        level=logging.WARNING,
    )


def log_similar_names(folder: str | Path, names: Sequence[str]) -> None:
    """Say in the log which sub-folders differ only in case, or in how a letter is stored.

    They stay different classes: on this system they are. They may be one class, copied from a
    system that takes such names for the same.
    """
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(unicodedata.normalize('NFC', name).casefold(), name)
        if other != name:
            print_log(
                f'{str(folder)!r}: the folders {other!r} and {name!r} differ only in case or in '
                'how a letter is stored. They count as two: if they are one, put their images '
                'together',
                logger='current',
                level=logging.WARNING,
            )


def _walk(
    folder: str,
    prefix: str,
    recursive: bool,
    extensions: Sequence[str],
    images: list[str],
    left_out: list[str],
    parents: tuple[str, ...],
) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_ignored(entry.name):
                continue
            check_link(entry)
            path = prefix + entry.name
            if entry.is_dir():
                if not recursive:
                    left_out.append(path)
                    continue
                above = (*parents, os.path.realpath(folder))
                if entry.is_symlink() and os.path.realpath(entry.path) in above:
                    raise OSError(
                        f'{entry.path} is a link to a folder that holds it: remove the link'
                    )
                _walk(entry.path, path + '/', recursive, extensions, images, left_out, above)
            elif entry.is_file() and is_image_name(entry.name, extensions):
                images.append(path)
            else:
                left_out.append(path)


def check_link(entry: os.DirEntry) -> None:
    """A link among the images leads to a file or folder that is there.

    Raises:
        FileNotFoundError: The link leads to nothing.

    When:
        A data set is built.
    """
    if entry.is_symlink() and not os.path.exists(entry.path):
        raise FileNotFoundError(
            f'{entry.path} is a link to {os.readlink(entry.path)!r}, which is not there: mend or '
            'remove the link'
        )
