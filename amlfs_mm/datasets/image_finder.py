"""Finding the images that a list names below a folder."""

from __future__ import annotations

import os
from pathlib import Path

from mmengine.logging import print_log

from amlfs_mm.utils.image_names import is_ignored, is_image_name
from amlfs_mm.utils.text_lists import Line, NameIndex


class Listed:
    """The labels that a list gives its images, to see whether it gives one image two."""

    def __init__(self) -> None:
        self._labels: dict[str, tuple[int | None, int]] = {}

    def check_one_label(
        self, source: str | Path, line: Line, name: str, path: str, label: int | None
    ) -> None:
        """A list gives an image one label, however often and under whatever name it has it.

        Args:
            source: The list, for the error.
            line: Its line.
            name: The image as the line names it.
            path: Where the image is.
            label: Its label in this line.

        Raises:
            ValueError: Another line gives it another; the message names list, line and image.

        When:
            A data set with a list is built.
        """
        other, number = self._labels.setdefault(path, (label, line.number))
        if other != label:
            raise ValueError(
                f'{source}, line {line.number}: {name!r} has the label {label}, but {other} in '
                f'line {number}: an image has one class'
            )


class ImageFinder:
    """Finds listed images below a folder, which is listed once and not asked for each file.

    A name is looked up as it is written, then as ``loose_name`` has it: in another case, with
    another extension, with backslashes.

    Args:
        root: The folder.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = str(root)
        self._folders: dict[str, NameIndex | None] = {}
        self.loosely = 0
        """How many images have another name than in the list."""

    def find(self, source: str | Path, line: Line, name: str) -> str:
        """The path of an image below the folder.

        Args:
            source: The list that names it, for the error.
            line: Its line.
            name: The path in it.

        Raises:
            FileNotFoundError: It is not there; the message names list, line and image.
            ValueError: Several images could be meant.
        """
        if os.path.isabs(name):
            found = name if os.path.isfile(name) else None
        else:
            try:
                found = self._find(name)
            except ValueError as error:
                raise ValueError(f'{source}, line {line.number}: {error}') from None
        if found is None:
            raise FileNotFoundError(
                f'{source}, line {line.number}: there is no image {name!r} in {self.root!r}'
            )
        self.loosely += found != name
        return found

    def log(self, source: str | Path) -> None:
        """Say how many images have another name than in the list."""
        if self.loosely:
            print_log(
                f'{source}: {self.loosely} images in {self.root!r} have names that differ from the '
                'list in case, extension, spaces or slashes',
                logger='current',
            )

    def _find(self, name: str) -> str | None:
        parent, _, base = name.rpartition('/')
        entries = self._entries(parent)
        if entries is not None and base in entries and is_image_name(base):
            return name
        found = ''
        for part in name.replace('\\', '/').split('/'):
            if part in ('', '.'):
                continue
            entries = self._entries(found)
            number = None if entries is None else entries.find(part)
            if number is None:
                return None
            found = f'{found}/{entries.names[number]}' if found else entries.names[number]
        return found if os.path.isfile(os.path.join(self.root, found)) else None

    def _entries(self, folder: str) -> NameIndex | None:
        if folder not in self._folders:
            path = os.path.join(self.root, folder)
            self._folders[folder] = (
                NameIndex(sorted(name for name in os.listdir(path) if not is_ignored(name)))
                if os.path.isdir(path)
                else None
            )
        return self._folders[folder]
