"""The layout of MSMT17: lists of images, and of an identity for each.

A line is ``<path> <identity>``, the path below the folder of the part. The third field of the
file's name is the camera: ``0000/0000_000_14_0303noon_0010_0.jpg`` is of camera 14. Source: Wei et
al. 2018, Person Transfer GAN, and torchreid's msmt17.py.
"""

from __future__ import annotations

from pathlib import Path

from amlfs_mm.utils.text_lists import Line, parse_label, read_lines, whole_number

from ..image_finder import ImageFinder, Listed
from .reid_layout import (
    Layout,
    Person,
    Source,
    check_camera,
    combine_all,
    find_main_folder,
)

LISTS = ('list_train.txt', 'list_val.txt', 'list_query.txt', 'list_gallery.txt')
FOLDERS = dict(MSMT17_V1=('train', 'test'), MSMT17_V2=('mask_train_v2', 'mask_test_v2'))
MSMT17 = Layout('msmt17', tuple(FOLDERS), LISTS, cameras=15)


def read_msmt17(root: Path, own_data: bool, combineall: bool = False) -> Source:
    """MSMT17's images. Those of ``list_val.txt`` train with ``combineall`` only.

    Args:
        root: The data root.
        own_data: See :func:`.load_source`.
        combineall: See :func:`.reid_layout.combine_all`.
    """
    main = find_main_folder(root, MSMT17)
    folders = FOLDERS[main.name]
    find_main_folder(root, MSMT17._replace(content=(*LISTS, *folders)))
    train_images, test_images = (ImageFinder(main / folder) for folder in folders)
    train, val = (read_list(main / name, train_images, own_data) for name in LISTS[:2])
    query, gallery = (read_list(main / name, test_images, own_data) for name in LISTS[2:])
    for name, people in zip(LISTS, (train, None, query, gallery), strict=True):
        if people == []:
            raise FileNotFoundError(f'{main / name} lists no image')
    if not combineall:
        return Source(train, query, gallery)
    return combine_all(Source(train + val, query, gallery), ())


def read_list(path: Path, finder: ImageFinder, own_data: bool) -> list[Person]:
    """The images of a list.

    Raises:
        FileNotFoundError: An image is not there.
        ValueError: A line is not ``<path> <identity>``, or a file name has no camera; the message
            names the list, the line and the rule.
    """
    people, listed = [], Listed()
    for line in read_lines(path):
        name, identity = parse_label(path, line)
        camera = parse_camera(path, line, name)
        check_camera(camera, MSMT17, own_data, f'{path}, line {line.number}: {name}')
        found = finder.find(path, line, name)
        listed.check_one_label(path, line, name, found, identity)
        people.append(Person(str(Path(finder.root, found)), identity, camera - 1))
    finder.log(path)
    return people


def parse_camera(path: Path, line: Line, name: str) -> int:
    """The camera in a file name.

    Raises:
        ValueError: There is none.
    """
    try:
        return whole_number(name.replace('\\', '/').rpartition('/')[2].split('_')[2])
    except (IndexError, ValueError):
        raise ValueError(
            f'{path}, line {line.number}: {name!r} has no camera as the third field of its name, '
            'such as 0000_000_14_0303noon_0010_0.jpg'
        ) from None
