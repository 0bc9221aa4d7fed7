"""Tune learning rate and weight decay of a baseline on D_v, before anything is compared with it.

The same as ``amlfs_mm tune-baseline``.
"""

from amlfs_mm.cli.tune_baseline import main

if __name__ == '__main__':
    main()
