"""MegaFace's rank-k rates from feature files: raw and, with lists of noise, refined.

The same as ``amlfs_mm megaface``.
"""

from amlfs_mm.cli.megaface import main

if __name__ == '__main__':
    main()
