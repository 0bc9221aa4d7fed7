"""A list of images as MegaFace's devkit has them, from a folder.

python tools/converters/make_face_list.py faces --out probes.json --identities

Paths are sorted and relative to the folder; with --identities an image is of the person that its
own folder is named after, which probes need.
"""

import argparse

import amlfs_mm  # noqa: F401
from amlfs_mm.evaluation.faces.megaface import FaceList, write_list
from amlfs_mm.utils.paths import user_path

IMAGES = {'.bmp', '.jpeg', '.jpg', '.pgm', '.png'}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('folder', type=user_path)
    parser.add_argument('--out', type=user_path, required=True)
    parser.add_argument('--identities', action='store_true', help='also write who is on an image')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    files = sorted(path for path in args.folder.rglob('*') if path.suffix.lower() in IMAGES)
    if not files:
        raise SystemExit(f'make_face_list.py: there is no image below {args.folder}')
    paths = [path.relative_to(args.folder).as_posix() for path in files]
    ids = [path.parent.name for path in files] if args.identities else None
    write_list(args.out, FaceList(paths, ids))
    print(f'{args.out}: {len(paths)} images' + (f', {len(set(ids))} persons' if ids else ''))


if __name__ == '__main__':
    main()
