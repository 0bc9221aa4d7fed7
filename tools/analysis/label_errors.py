"""Which training labels are wrong? Rank the training samples of a run, most doubtful first.

The same as ``amlfs_mm label-errors``.
"""

from amlfs_mm.cli.label_errors import main

if __name__ == '__main__':
    main()
