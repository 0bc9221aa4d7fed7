"""What the layouts of re-identification data have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Person(NamedTuple):
    """One image."""

    path: str
    identity: int
    camera: int
    """From 0."""


class Source(NamedTuple):
    """The images of a data set: to train, and the test set's queries and gallery."""

    train: list[Person]
    query: list[Person]
    gallery: list[Person]


class Layout(NamedTuple):
    """Which folders and files a data set has."""

    folder: str
    """Below the data root; what torchreid calls ``dataset_dir``."""
    mains: Sequence[str]
    """Folders in it that may hold the content, the preferred one first ('': itself)."""
    content: Sequence[str]
    """What one of them must hold: files have a dot in their names, folders have none."""
    cameras: int | None = None
    """How many cameras the published data have."""
    identities: int | None = None
    """The largest identity of the published data; None: not checked."""


def find_main_folder(root: Path, layout: Layout) -> Path:
    """The folder that holds a data set's content.

    Raises:
        FileNotFoundError: There is none; the message shows the expected tree and what is missing.
    """
    folder = root / layout.folder
    found = [folder / main for main in layout.mains if (folder / main).is_dir()]
    main = found[0] if found else folder / layout.mains[0]
    missing = [part for part in layout.content if not is_there(main / part)]
    if missing:
        tree = [f'{root}/', f'    {layout.folder}/', f'        {layout.mains[0] or "."}/']
        tree += [
            f'            {part}' + ('   (missing)' if part in missing else '')
            for part in layout.content
        ]
        raise FileNotFoundError(
            f'{main} lacks {missing}. Expected this tree; put it there, or set DATA_ROOT '
            '(data_root in the config) to the folder that holds it:\n' + '\n'.join(tree)
        )
    return main


def is_there(path: Path) -> bool:
    """Whether a file, or without a dot in its name a folder, is there."""
    return path.is_file() if path.suffix else path.is_dir()


def check_camera(camera: int, layout: Layout, own_data: bool, where: str) -> None:
    """A camera's number is one that the data set has, from 1.

    Args:
        camera: The number in the file name.
        layout: The data set's.
        own_data: Whether the data are one's own, so that any number from 1 is right.
        where: The file (and line), for the error.

    Raises:
        ValueError: The data set has no such camera.

    When:
        A data set is built.
    """
    if camera < 1 or (not own_data and camera > layout.cameras):
        rule = 'from 1' if own_data else f'from 1 to {layout.cameras}'
        raise ValueError(
            f'{where} is not named after a camera {rule}, but {camera}: rename it, or set '
            f'own_data=True if the data are not the published {layout.folder}'
        )


def check_identity(identity: int, layout: Layout, own_data: bool, where: str) -> None:
    """An identity is one that the data set has.

    Raises:
        ValueError: The identity is above the largest of the published data, and ``own_data`` is not
            set.

    When:
        A data set is built.
    """
    if not own_data and layout.identities is not None and identity > layout.identities:
        raise ValueError(
            f'{where} has the identity {identity}, but those of {layout.folder} go up to '
            f'{layout.identities}: rename it, or set own_data=True if the data are not the '
            f'published {layout.folder}'
        )


def combine_all(source: Source, ignored: Sequence[int]) -> Source:
    """The source with its test images in the training part too, as other identities.

    torchreid's ``combineall``: for training on all that there is.

    Args:
        source: The images.
        ignored: Identities of the test part that are nobody: distractors and junk.
    """
    people = [p for p in source.query + source.gallery if p.identity not in ignored]
    above = 1 + max((p.identity for p in source.train), default=0)
    added = [p._replace(identity=p.identity + above) for p in people]
    return source._replace(train=source.train + added)
