"""A small @iconify/json: sets of icons in the package's own layout."""

from __future__ import annotations

import json
from pathlib import Path

DISC = '<circle cx="8" cy="8" r="6" fill="currentColor"/>'
RECTANGLE = '<path fill="currentColor" d="M0 0h16v16H0z"/>'
RED = '<path fill="#f00" d="M0 0h16v16H0z"/>'


def write_set(folder: Path, name: str, icons: dict, author: str = '', **changes) -> None:
    """``json/<name>.json``: icons of that name, each a body or a dict; the author is the name."""
    info = dict(name=name, author=dict(name=author or name), license=dict(spdx='MIT'))
    info |= changes.pop('info', {})
    icons = {key: dict(body=icon) if isinstance(icon, str) else icon for key, icon in icons.items()}
    (folder / 'json').mkdir(parents=True, exist_ok=True)
    content = dict(prefix=name, info=info, icons=icons, **changes)
    (folder / 'json' / f'{name}.json').write_text(json.dumps(content))


def write_package(folder: Path, identities: int = 12, families: int = 3) -> None:
    """Squares of another size for each identity; each family draws them in another grey."""
    for family in range(families):
        grey = 40 * family
        icons = {
            f'square-{number:02d}': (
                f'<path fill="rgb({grey},{grey},{grey})" d="M0 0h{number + 2}v{number + 2}H0z"/>'
            )
            for number in range(identities)
        }
        write_set(folder, f'set{family}', icons)
        # Two sets of one family: an identity has two images by one camera.
        write_set(folder, f'set{family}-bold', {'square-00': DISC}, author=f'set{family}')


def write_names(path: Path, identities: int = 12) -> None:
    """The list of the identities of :func:`write_package`."""
    path.write_text('# names\n' + ''.join(f'square-{i:02d}\n' for i in range(identities)))
