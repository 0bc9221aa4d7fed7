"""Look at a baseline's config, and write the config of a search on it.

:mod:`.head` says whether ``AMLFSHead`` can take the place of its head, :mod:`.held_out_data` what
its D_v is, :mod:`.cost` what a search costs. :mod:`.search_config` puts them together, and writes.
"""
