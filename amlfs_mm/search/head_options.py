"""The options of a head that shape its loss besides theta, as a file of a search has them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

DEFAULTS = dict(min_slope=0.01, tau_floor='relative')
"""Those of :class:`amlfs_mm.AMLFSHead`."""


def head_options(content: dict) -> dict:
    """``min_slope`` and ``tau_floor`` of the head that a loss was searched with.

    A loss file and a merged schedule have them under ``head``. A search's own schedule has them in
    the text of its config, which is parsed and never run. Loss files of earlier versions have none
    of both: then these are the defaults of the head.

    Args:
        content: Of a loss file or of a ``loss_schedule.json``.
    """
    found = dict(DEFAULTS)
    try:
        tree: ast.AST = ast.parse(content.get('config') or '')
    except (SyntaxError, TypeError, ValueError):
        tree = ast.Module([], [])
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in DEFAULTS:
            found[node.arg] = ast.literal_eval(node.value)
    return found | content.get('head', {})


def differences(of_search: dict, head: object, path: object) -> Iterator[str]:
    """A sentence for each of these options that is another one in a head than in a search.

    Args:
        of_search: What :func:`head_options` found in the file of the search.
        head: That trains with the file's loss; of a head without an option, nothing is said.
        path: Of the file.
    """
    for name, value in of_search.items():
        here = getattr(head, name, value)
        if here != value:
            yield (
                f"the head's {name} is {here!r}, that of the search was {value!r}: the losses of "
                f'{path} have another shape here'
            )
