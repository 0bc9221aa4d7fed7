"""Write one HTML file about one or more runs: comparison, warnings, figures, configs.

The same as ``amlfs_mm report``.
"""

from amlfs_mm.cli.report import main

if __name__ == '__main__':
    main()
