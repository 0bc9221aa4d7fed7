"""Draw the figures of the paper and of a search, each as PNG and SVG.

The same as ``amlfs_mm figures``.
"""

from amlfs_mm.cli.figures import main

if __name__ == '__main__':
    main()
