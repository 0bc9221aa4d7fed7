"""Draw a pedestrian data set in Market-1501's layout, in seconds.

The same as ``amlfs_mm make-synthetic-market``.
"""

from amlfs_mm.cli.make_synthetic_market import main

if __name__ == '__main__':
    main()
