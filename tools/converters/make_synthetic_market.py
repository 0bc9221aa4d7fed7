"""Draw a pedestrian data set in Market-1501's layout, in seconds.

python tools/converters/make_synthetic_market.py data/synthetic
"""

import argparse

import amlfs_mm  # noqa: F401
from amlfs_mm.datasets.reid.synthetic.synthetic_market import write_market


def parse_args() -> argparse.Namespace:
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
    return parser.parse_args()


def main() -> None:
    try:
        folder = write_market(**vars(parse_args()))
    except (ValueError, OSError) as error:
        raise SystemExit(f'make_synthetic_market.py: {error}') from error
    for part in ('bounding_box_train', 'query', 'bounding_box_test'):
        print(f'{folder / part}: {len(list((folder / part).iterdir()))} images')


if __name__ == '__main__':
    main()
