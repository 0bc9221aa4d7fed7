"""``python -m amlfs_mm COMMAND ...``: the command ``amlfs_mm`` where no script is on the PATH."""

from amlfs_mm.cli.commands import main

if __name__ == '__main__':
    main()
