"""Person re-identification data sets: their images, checked and in a fixed order."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

from amlfs_mm.utils.optional_imports import import_torchreid
from amlfs_mm.utils.paths import user_path

from .market_layout import read_duke, read_market
from .msmt17_layout import read_msmt17
from .reid_layout import Layout, Person, Source, find_main_folder

__all__ = ['Person', 'Source', 'load_source']


def read_cuhk03(root: Path, own_data: bool, **options) -> Source:
    """CUHK03's images, by torchreid's class: the published Matlab files are its own format."""
    if own_data:
        raise ValueError('own_data=True is for layouts that are plain files; cuhk03 has none')
    find_main_folder(root, CUHK03)
    datasets = import_torchreid('data.datasets')
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'The current data structure is deprecated')
        data = datasets.init_image_dataset('cuhk03', root=str(root), verbose=False, **options)
    return Source(
        *(
            [Person(str(path), int(identity), int(camera)) for path, identity, camera, _ in part]
            for part in (data.train, data.query, data.gallery)
        )
    )


CUHK03 = Layout(
    'cuhk03',
    ('',),
    (
        'cuhk03_release/cuhk-03.mat',
        'cuhk03_new_protocol_config_detected.mat',
        'cuhk03_new_protocol_config_labeled.mat',
    ),
)
READERS: dict[str, Callable[..., Source]] = dict(
    market1501=read_market, dukemtmcreid=read_duke, msmt17=read_msmt17, cuhk03=read_cuhk03
)


def load_source(name: str, data_root: str | Path, own_data: bool = False, **options) -> Source:
    """The images of a data set, each part sorted by path.

    The rules are torchreid's: Market-1501's junk images (-1) are left out, its distractors (0000)
    stay in the gallery. torchreid's own class is used for ``cuhk03`` only. Its classes for the
    others read ``.jpg`` files only, one digit of a camera's number, and look for the identity in
    the whole path. On the published data ours give the same. Nothing is ever downloaded.

    Args:
        name: ``market1501``, ``dukemtmcreid``, ``msmt17``, ``cuhk03``.
        data_root: The folder that holds the data set's own (``market1501``, ``dukemtmc-reid`` ...).
        own_data: Whether the data are one's own in that layout: with any number of cameras and
            identities. If not, more than the published data have is an error.
        options: Those of torchreid's class: ``combineall``, ``market1501_500k``,
            ``cuhk03_labeled`` ...

    Raises:
        ImportError: torchreid is needed and not installed.
        FileNotFoundError: The data set, a part of it, or all images of a part are missing, and the
            message shows the expected tree; or an image of a list is.
        TypeError: An option is not known.
        ValueError: An unknown data set; an image name that says no identity and camera; a line of a
            list that is wrong; or a number above the data set's. The message names the file, the
            line and the rule.
    """
    if name not in READERS:
        raise ValueError(f'source must be one of {list(READERS)}, got {name!r}')
    root = user_path(data_root).absolute()
    parts = Source(*(sorted(part) for part in READERS[name](root, own_data, **options)))
    return parts._replace(train=number_identities(parts.train))


def number_identities(people: list[Person]) -> list[Person]:
    """The same images with identities 0, 1, ... in order of appearance."""
    number: dict[int, int] = {}
    for person in people:
        number.setdefault(person.identity, len(number))
    return [person._replace(identity=number[person.identity]) for person in people]
