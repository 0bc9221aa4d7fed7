"""Draw a pedestrian data set in Market-1501's layout, in seconds.

amlfs_mm make-synthetic-market data/synthetic
"""

import argparse
from collections.abc import Sequence

from amlfs_mm.datasets.reid.synthetic.synthetic_market import write_market
from amlfs_mm.utils.command_line import errors_as_messages


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument('data_root', help='market1501/ goes into this folder; give it as DATA_ROOT')
    parser.add_argument('--train-identities', type=int, default=120)
    parser.add_argument('--test-identities', type=int, default=120)
    parser.add_argument('--images-per-camera', type=int, default=3, help='at most')
    parser.add_argument('--distractors', type=int, default=200)
    parser.add_argument('--junk', type=int, default=50)
    parser.add_argument('--seed', type=int, default=0)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    with errors_as_messages():
        folder = write_market(**vars(parse_args(arguments)))
    for part in ('bounding_box_train', 'query', 'bounding_box_test'):
        print(f'{folder / part}: {len(list((folder / part).iterdir()))} images')
