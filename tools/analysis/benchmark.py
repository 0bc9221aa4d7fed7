"""Train and test configs over seeds, and compare them: a Markdown table.

The same as ``amlfs_mm benchmark``.
"""

from amlfs_mm.cli.benchmark import main

if __name__ == '__main__':
    main()
