"""Draw characters as a re-identification data set in Market-1501's layout.

amlfs_mm make-character-identities data/characters

A character is an identity, and a typeface is a camera: 525 letters and digits in 16 fonts of 4
typefaces, which matplotlib ships.
"""

import argparse
from collections.abc import Sequence

from amlfs_mm.datasets.reid.pictures.characters import draw_characters
from amlfs_mm.datasets.reid.pictures.picture_market import write_pictures
from amlfs_mm.utils.command_line import errors_as_messages


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('data_root', help='market1501/ goes into this folder; give it as DATA_ROOT')
    parser.add_argument('--train-identities', type=int, default=250, help='default: 250')
    parser.add_argument('--seed', type=int, default=0, help='of the split; default: 0')
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    with errors_as_messages():
        folder = write_pictures(args.data_root, draw_characters(), args.train_identities, args.seed)
    for part in ('bounding_box_train', 'query', 'bounding_box_test'):
        print(f'{folder / part}: {len(list((folder / part).iterdir()))} images')
