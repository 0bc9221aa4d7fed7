"""Write icons as a re-identification data set in Market-1501's layout.

The same as ``amlfs_mm make-icon-identities``.
"""

from amlfs_mm.cli.make_icon_identities import main

if __name__ == '__main__':
    main()
