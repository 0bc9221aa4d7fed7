"""Draw characters as a re-identification data set in Market-1501's layout.

The same as ``amlfs_mm make-character-identities``.
"""

from amlfs_mm.cli.make_character_identities import main

if __name__ == '__main__':
    main()
