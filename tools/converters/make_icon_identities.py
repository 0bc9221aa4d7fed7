"""Write icons as a re-identification data set in Market-1501's layout.

npm install @iconify/json@2.2.535
python tools/converters/make_icon_identities.py node_modules/@iconify/json data/icons

What an icon means is its identity, and the author of its set is its camera. The names of the
identities, and the icons that are left out because an equal one is there, stand in icons48.txt
beside this file. Needs pip install 'amlfs_mm[icons]'. In place of the package's folder a file .npz
with icons that were drawn before may be given.
"""

import argparse
from pathlib import Path

import amlfs_mm  # noqa: F401
from amlfs_mm.datasets.reid.pictures.icon_package import read_arrays, read_names, read_package
from amlfs_mm.datasets.reid.pictures.picture_market import write_pictures
from amlfs_mm.utils.paths import user_path


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', type=user_path, help='folder of @iconify/json, or a file .npz')
    parser.add_argument('data_root', help='market1501/ goes into this folder; give it as DATA_ROOT')
    parser.add_argument('--names', type=user_path, default=Path(__file__).with_name('icons48.txt'))
    parser.add_argument('--train-identities', type=int, default=400, help='default: 400')
    parser.add_argument('--seed', type=int, default=0, help='of the split; default: 0')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    try:
        if args.source.suffix == '.npz':
            icons = list(read_arrays(args.source))
        else:
            icons = list(read_package(args.source, read_names(args.names)))
        folder = write_pictures(args.data_root, icons, args.train_identities, args.seed)
    except (ValueError, OSError, ImportError) as error:
        raise SystemExit(f'make_icon_identities.py: {error}') from error
    names, families = {icon.name for icon in icons}, {icon.family for icon in icons}
    print(f'{len(icons)} icons of {len(names)} identities by {len(families)} families')
    for part in ('bounding_box_train', 'query', 'bounding_box_test'):
        print(f'{folder / part}: {len(list((folder / part).iterdir()))} images')


if __name__ == '__main__':
    main()
