"""Write icons as a re-identification data set in Market-1501's layout.

npm install @iconify/json@2.2.535
amlfs_mm make-icon-identities node_modules/@iconify/json data/icons

What an icon means is its identity, and the author of its set is its camera. The names of the
identities, and the icons that are left out because an equal one is there, stand in
tools/converters/icons48.txt. Needs pip install 'amlfs_mm[icons]'. In place of the package's folder
a file .npz with icons that were drawn before may be given.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from amlfs_mm.datasets.reid.pictures.icon_package import read_arrays, read_names, read_package
from amlfs_mm.datasets.reid.pictures.picture_market import write_pictures
from amlfs_mm.utils.command_line import errors_as_messages
from amlfs_mm.utils.paths import user_path

ICONS48 = Path(__file__).resolve().parents[1] / '.mim' / 'tools' / 'converters' / 'icons48.txt'


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', type=user_path, help='folder of @iconify/json, or a file .npz')
    parser.add_argument('data_root', help='market1501/ goes into this folder; give it as DATA_ROOT')
    parser.add_argument('--names', type=user_path, default=ICONS48)
    parser.add_argument('--train-identities', type=int, default=400, help='default: 400')
    parser.add_argument('--seed', type=int, default=0, help='of the split; default: 0')
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    with errors_as_messages():
        if args.source.suffix == '.npz':
            icons = list(read_arrays(args.source))
        else:
            icons = list(read_package(args.source, read_names(args.names)))
        folder = write_pictures(args.data_root, icons, args.train_identities, args.seed)
    names, families = {icon.name for icon in icons}, {icon.family for icon in icons}
    print(f'{len(icons)} icons of {len(names)} identities by {len(families)} families')
    for part in ('bounding_box_train', 'query', 'bounding_box_test'):
        print(f'{folder / part}: {len(list((folder / part).iterdir()))} images')
