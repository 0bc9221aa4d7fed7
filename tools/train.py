"""Train a config: a baseline or a loss search.

The same as ``amlfs_mm train``.
"""

from amlfs_mm.cli.train import main

if __name__ == '__main__':
    main()
