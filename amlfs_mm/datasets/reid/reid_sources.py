"""Person re-identification data sets as torchreid reads them, checked and in a fixed order."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from amlfs_mm.utils.optional_imports import import_torchreid


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
    """What must be there before torchreid is asked: it would try a download, or fail by assert."""

    folder: str
    """Below the data root; what torchreid calls ``dataset_dir``."""
    mains: Sequence[str]
    """Folders in it that may hold the content, by preference ('': itself)."""
    content: Sequence[str]
    """What one of them must hold."""
    cameras: int | None = None
    """Where image names are ``0001_c1....jpg``: how many cameras there are."""


NAMED = ('bounding_box_train', 'bounding_box_test', 'query')
LISTED = ('list_train.txt', 'list_val.txt', 'list_query.txt', 'list_gallery.txt')
LAYOUTS = dict(
    market1501=Layout('market1501', ('Market-1501-v15.09.15', ''), NAMED, cameras=6),
    dukemtmcreid=Layout('dukemtmc-reid', ('DukeMTMC-reID',), NAMED, cameras=8),
    msmt17=Layout('msmt17', ('MSMT17_V1', 'MSMT17_V2'), LISTED),
    cuhk03=Layout(
        'cuhk03',
        ('',),
        (
            'cuhk03_release/cuhk-03.mat',
            'cuhk03_new_protocol_config_detected.mat',
            'cuhk03_new_protocol_config_labeled.mat',
        ),
    ),
)

IMAGE_NAME = re.compile(r'(-?\d+)_c(\d)')


def load_source(name: str, data_root: str | Path, **options) -> Source:
    """The images of a data set, each part sorted by path.

    torchreid's classes read the layout and apply the data set's rules: Market-1501's junk images
    (-1) are left out, its distractors (0000) stay in the gallery. Their order, that of the file
    system, is replaced. Nothing is ever downloaded.

    Args:
        name: ``market1501``, ``dukemtmcreid``, ``msmt17``, ``cuhk03``.
        data_root: The folder that holds the data set's own (``market1501``, ``dukemtmc-reid`` ...).
        options: Of torchreid's class, such as ``market1501_500k``, ``cuhk03_labeled``.

    Raises:
        ImportError: torchreid is not installed.
        FileNotFoundError: The data set, a part of it, or all images of a part are missing; the
            message shows the expected tree.
        ValueError: An unknown data set, or an image name that says no identity and camera.
    """
    if name not in LAYOUTS:
        raise ValueError(f'source must be one of {list(LAYOUTS)}, got {name!r}')
    layout = LAYOUTS[name]
    root = Path(data_root).expanduser().absolute()
    main = find_main_folder(root, layout)
    if layout.cameras is not None:
        for part in layout.content:
            check_image_names(main / part, layout.cameras)
    datasets = import_torchreid('data.datasets')
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'The current data structure is deprecated')
        data = datasets.init_image_dataset(name, root=str(root), verbose=False, **options)
    parts = Source(
        *(
            sorted(
                Person(str(path), int(identity), int(camera)) for path, identity, camera, _ in part
            )
            for part in (data.train, data.query, data.gallery)
        )
    )
    if layout.cameras is not None:
        check_cameras(parts.query, root)
    return parts._replace(train=number_identities(parts.train))


def number_identities(people: list[Person]) -> list[Person]:
    """The same images with identities 0, 1, ... in order of appearance.

    torchreid numbers them in the order of a set.
    """
    number = {}
    for person in people:
        number.setdefault(person.identity, len(number))
    return [person._replace(identity=number[person.identity]) for person in people]


def find_main_folder(root: Path, layout: Layout) -> Path:
    """The folder that holds a data set's content.

    Raises:
        FileNotFoundError: There is none; the message shows the expected tree and what is missing.
    """
    folder = root / layout.folder
    found = [folder / main for main in layout.mains if (folder / main).is_dir()]
    main = found[0] if found else folder / layout.mains[0]
    missing = [part for part in layout.content if not (main / part).exists()]
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


def check_image_names(folder: Path, cameras: int) -> None:
    """Every image's name says identity and camera.

    Raises:
        FileNotFoundError: There is no image but junk.
        ValueError: A name does not; the message names the file.
    """
    identities = set()
    for path in folder.glob('*.jpg'):
        match = IMAGE_NAME.match(path.name)
        if match is None or not 1 <= int(match[2]) <= cameras:
            raise ValueError(
                f'{path} is not named <identity>_c<camera>..., such as 0001_c1s1_001051_00.jpg, '
                f'with a camera from 1 to {cameras}: remove it or give it its name'
            )
        identities.add(int(match[1]))
    if not identities - {-1}:
        raise FileNotFoundError(
            f'{folder} holds no image (*.jpg) of a person' + ', only junk (-1)' * bool(identities)
        )


def check_cameras(people: list[Person], root: Path) -> None:
    """torchreid looks for identity and camera in the whole path: a folder may be what it found.

    Raises:
        ValueError: It was.
    """
    for person in people:
        match = IMAGE_NAME.match(Path(person.path).name)
        if (int(match[1]), int(match[2]) - 1) != (person.identity, person.camera):
            raise ValueError(
                f'a folder of {root} looks like an image name (<identity>_c<camera>) and would be '
                f'read as identity {person.identity}, camera {person.camera + 1}: rename the folder'
            )
