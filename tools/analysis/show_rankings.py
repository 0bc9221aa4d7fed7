"""Draw the rankings of the best and worst queries, and the CMC curve, from exported features.

The same as ``amlfs_mm show-rankings``.
"""

from amlfs_mm.cli.show_rankings import main

if __name__ == '__main__':
    main()
