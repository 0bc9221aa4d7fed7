"""Evaluate a checkpoint on a config's test split.

The same as ``amlfs_mm test``.
"""

from amlfs_mm.cli.test import main

if __name__ == '__main__':
    main()
