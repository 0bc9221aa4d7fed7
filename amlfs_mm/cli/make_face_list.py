"""A list of images as MegaFace's devkit has them, from a folder.

amlfs_mm make-face-list faces --out probes.json --identities

Paths are sorted and relative to the folder. With --identities, which probes need, the name of an
image's own folder says who is on it. Hidden files are ignored; other files that are no images are
counted.
"""

import argparse
from collections.abc import Sequence
from pathlib import PurePosixPath

from amlfs_mm.datasets.image_files import list_images, log_left_out
from amlfs_mm.evaluation.faces.megaface import FaceList, write_list
from amlfs_mm.utils.command_line import errors_as_messages
from amlfs_mm.utils.paths import user_path


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('folder', type=user_path)
    parser.add_argument('--out', type=user_path, required=True)
    parser.add_argument('--identities', action='store_true', help='also write who is on an image')
    return parser.parse_args(arguments)


def find_person(path: str) -> str:
    """Who is on an image: the name of its own folder.

    Raises:
        ValueError: It is in no folder below the root.
    """
    if '/' not in path:
        raise ValueError(f'{path} is in no folder that says who is on it: move it into one')
    return PurePosixPath(path).parent.name


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    with errors_as_messages():
        paths, left_out = list_images(args.folder)
        log_left_out(args.folder, left_out)
        if not paths:
            raise ValueError(f'there is no image below {args.folder}')
        ids = [find_person(path) for path in paths] if args.identities else None
        write_list(args.out, FaceList(paths, ids))
    print(f'{args.out}: {len(paths)} images' + (f', {len(set(ids))} persons' if ids else ''))
