"""The command ``amlfs_mm``: one module for each subcommand, which :mod:`.commands` lists.

The scripts in ``tools/`` call the same ``main`` functions.
"""
