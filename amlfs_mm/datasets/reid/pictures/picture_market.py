"""Pictures as re-identification data: whoever drew it, an anchor is an anchor."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from amlfs_mm.utils.atomic_files import atomic_folder
from amlfs_mm.utils.paths import user_path
from amlfs_mm.utils.randomness import derive_seed

from ..market_layout import MARKET
from ..reid_layout import Person
from ..reid_split import split_query_gallery

SIZE = 48


class Picture(NamedTuple):
    """A picture with what it means and who made it."""

    name: str
    """What it means: its identity."""
    family: str
    """Who made it: its camera. Pictures of one family are alike."""
    image: np.ndarray
    """(48, 48, 3) uint8 RGB."""


def write_pictures(
    data_root: str | Path, pictures: Iterable[Picture], train_identities: int, seed: int = 0
) -> Path:
    """Write ``<data_root>/market1501/Market-1501-v15.09.15``, for ``ReIDDataset(own_data=True)``.

    Identities are numbered from 1 by their sorted names, cameras by the sorted families. The files
    ``identities.txt`` and ``cameras.txt`` in the folder say which is which. A seed draws the
    training identities; the others are the test set, with queries as
    :func:`.reid_split.split_query_gallery` draws them. The same pictures and arguments give the
    same files.

    Args:
        data_root: The folder for ``market1501``; it must not hold a data set already.
        pictures: Of each name by two families or more.
        train_identities: How many train; at least two, and two others are left to test.
        seed: The seed of all draws.

    Raises:
        ValueError: There are too few identities, or one is by one family only.
        FileExistsError: The data set is there already.
    """
    # An order of its own: that of the sets may differ between file systems and versions.
    pictures = sorted(pictures, key=lambda p: (p.name, p.family, p.image.tobytes()))
    identities, cameras = (
        {text: number for number, text in enumerate(sorted({getattr(p, key) for p in pictures}), 1)}
        for key in ('name', 'family')
    )
    if train_identities < 2 or len(identities) - train_identities < 2:
        raise ValueError(
            f'train_identities={train_identities} of {len(identities)}: training needs two at '
            'least, and so does the test'
        )
    shuffled = np.random.default_rng(derive_seed(seed, 0)).permutation(len(identities)) + 1
    training = set(shuffled[:train_identities].tolist())
    people = [
        Person(str(number), identities[picture.name], cameras[picture.family])
        for number, picture in enumerate(pictures)
    ]
    train = [person for person in people if person.identity in training]
    others = [person for person in people if person.identity not in training]
    query, gallery = split_query_gallery(others, derive_seed(seed, 1))
    parts = dict(bounding_box_train=train, query=query, bounding_box_test=gallery)
    target = user_path(data_root) / MARKET.folder / MARKET.mains[0]
    with atomic_folder(target) as folder:
        for part, members in parts.items():
            (folder / part).mkdir()
            for person in members:
                name = f'{person.identity:04d}_c{person.camera}s1_{int(person.path):06d}_00.png'
                Image.fromarray(pictures[int(person.path)].image).save(folder / part / name)
        for name, numbers in dict(identities=identities, cameras=cameras).items():
            lines = [f'{number} {text}\n' for text, number in numbers.items()]
            (folder / f'{name}.txt').write_text(''.join(lines), encoding='utf-8')
    return target
