"""The layout of Market-1501, which DukeMTMC-reID has too.

Images lie in ``bounding_box_train``, ``bounding_box_test`` and ``query``. Their names start with
``<identity>_c<camera>``: ``0002_c1s1_000451_03.jpg``, ``0001_c2_f0046182.jpg``. Source: Zheng et
al. 2015, Scalable Person Re-identification, and torchreid's market1501.py and dukemtmcreid.py.
"""

from __future__ import annotations

import re
from pathlib import Path

from amlfs_mm.utils.image_names import IMAGE_EXTENSIONS

from ..image_files import list_images, log_left_out
from .reid_layout import (
    Layout,
    Person,
    Source,
    check_camera,
    check_identity,
    combine_all,
    find_main_folder,
)

PARTS = ('bounding_box_train', 'bounding_box_test', 'query')
MARKET = Layout('market1501', ('Market-1501-v15.09.15', ''), PARTS, cameras=6, identities=1501)
DUKE = Layout('dukemtmc-reid', ('DukeMTMC-reID',), PARTS, cameras=8)
IMAGE_NAME = re.compile(r'(-1|[0-9]{1,18})_c([0-9]{1,18})')
JUNK, DISTRACTOR = -1, 0


def read_market(
    root: Path, own_data: bool, market1501_500k: bool = False, combineall: bool = False
) -> Source:
    """Market-1501's images, without junk.

    Args:
        root: The data root.
        own_data: See :func:`.load_source`.
        market1501_500k: Whether the gallery also has the 500,000 distractors in ``images``.
        combineall: See :func:`.reid_layout.combine_all`.
    """
    layout = MARKET
    if market1501_500k:
        layout = layout._replace(content=(*PARTS, 'images'))
    source = read_parts(root, layout, own_data)
    return combine_all(source, (DISTRACTOR, JUNK)) if combineall else source


def read_duke(root: Path, own_data: bool, combineall: bool = False) -> Source:
    """DukeMTMC-reID's images; options as in :func:`read_market`."""
    source = read_parts(root, DUKE, own_data)
    return combine_all(source, ()) if combineall else source


def read_parts(root: Path, layout: Layout, own_data: bool) -> Source:
    """The images of a data set's parts."""
    main = find_main_folder(root, layout)
    train, gallery, query, *extra = (
        read_part(main / part, layout, own_data) for part in layout.content
    )
    return Source(train, query, gallery + [person for people in extra for person in people])


def read_part(folder: Path, layout: Layout, own_data: bool) -> list[Person]:
    """The images of a folder, without junk.

    Raises:
        FileNotFoundError: There is no image but junk.
        ValueError: A name does not say identity and camera, or one that the data set does not have;
            the message names the file.
    """
    listing = list_images(folder, recursive=False)
    log_left_out(folder, listing.left_out)
    people, junk = [], 0
    for name in listing.images:
        path = folder / name
        match = IMAGE_NAME.match(name)
        if match is None:
            rule = 'from 1' if own_data else f'from 1 to {layout.cameras}'
            raise ValueError(
                f'{path} is not named <identity>_c<camera>..., such as 0001_c1s1_001051_00.jpg, '
                f'with a camera {rule}: remove it or give it its name'
            )
        identity, camera = int(match[1]), int(match[2])
        check_camera(camera, layout, own_data, str(path))
        check_identity(identity, layout, own_data, str(path))
        if identity == JUNK:
            junk += 1
        else:
            people.append(Person(str(path), identity, camera - 1))
    if not people:
        raise FileNotFoundError(
            f'{folder} holds no image ({", ".join(f"*{e}" for e in IMAGE_EXTENSIONS[:1])}) of a '
            'person' + ', only junk (-1)' * bool(junk)
        )
    return people
