"""Print the loss that a search found as formulas, and write it as JSON for other trainings.

The same as ``amlfs_mm export-loss``.
"""

from amlfs_mm.cli.export_loss import main

if __name__ == '__main__':
    main()
