"""The icons of the npm package @iconify/json, of whose sets many draw the same things.

The package has a file ``json/<set>.json`` for each set. Its ``icons`` have a ``body`` of SVG, and
``left``, ``top``, ``width`` and ``height`` where they differ from the set's own. Source:
https://iconify.design/docs/types/iconify-json.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

from amlfs_mm.utils.optional_imports import import_resvg
from amlfs_mm.utils.text_lists import read_lines

from .picture_market import SIZE, Picture

LICENCES = frozenset(
    ['Apache-2.0', 'BSD-3-Clause', 'CC-BY-4.0', 'CC0-1.0', 'ISC', 'MIT', 'OFL-1.1', 'Unlicense']
)
"""SPDX names of the licences under which icons may be used and changed, for any purpose."""
INK = '#202020'
"""The colour of icons that leave theirs to the page (``currentColor``)."""
DEFAULT_VIEW = dict(left=0, top=0, width=16, height=16)


def read_names(path: Path) -> dict[str, frozenset[str]]:
    """The icons to take: names, each with the sets whose icon of that name is left out.

    A line is ``<name> [<set> ...]``; lines that begin with # are comments.

    Raises:
        ValueError: A name is there twice, or there is none.
    """
    names: dict[str, frozenset[str]] = {}
    for line in read_lines(path, comments=True):
        name, *left_out = line.text.split()
        if name in names:
            raise ValueError(f'{path}, line {line.number}: the name {name!r} is there twice')
        names[name] = frozenset(left_out)
    if not names:
        raise ValueError(f'{path} has no name: expected lines <name> [<set to leave out> ...]')
    return names


def read_package(folder: Path, names: Mapping[str, frozenset[str]]) -> Iterator[Picture]:
    """The icons of these names in the sets of a free licence; hidden ones are left out.

    Args:
        folder: The unpacked package: ``node_modules/@iconify/json``.
        names: As :func:`read_names` gives them.

    Raises:
        FileNotFoundError: There is no ``json/*.json`` in the folder.
        ImportError: resvg-py is not installed.
        ValueError: A set's file is damaged; the message names it.
    """
    files = sorted((folder / 'json').glob('*.json'), key=lambda path: path.name)
    if not files:
        raise FileNotFoundError(
            f'{folder} holds no json/<set>.json: give the unpacked npm package, that is '
            'node_modules/@iconify/json after npm install @iconify/json'
        )
    resvg = import_resvg()
    for path in files:
        try:
            icon_set = json.loads(path.read_bytes())
            info, icons = icon_set['info'], icon_set['icons']
            licence, family = info['license'].get('spdx'), info['author']['name']
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f'{path} is no icon set with info, license, author and icons, or is cut short: '
                f'unpack it anew ({type(error).__name__}: {error})'
            ) from error
        if licence not in LICENCES:
            continue
        for name in sorted(names.keys() & icons.keys()):
            icon = {**DEFAULT_VIEW, **icon_set, **icons[name]}
            if not icons[name].get('hidden') and path.stem not in names[name]:
                yield Picture(name, family, draw_icon(resvg, icon, f'{path}: {name}'))


def draw_icon(resvg: ModuleType, icon: Mapping, where: str) -> np.ndarray:
    """An icon as (48, 48, 3) uint8 RGB: as large as fits, in the middle, on white.

    Args:
        resvg: The module.
        icon: ``body``, ``left``, ``top``, ``width`` and ``height``.
        where: It comes from, for the error.

    Raises:
        ValueError: Its SVG cannot be drawn.
    """
    left, top, width, height = (icon[key] for key in ('left', 'top', 'width', 'height'))
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width}" height="{height}" viewBox="{left} {top} {width} {height}">'
        f'{icon["body"]}</svg>'
    ).replace('currentColor', INK)
    longer = dict(width=SIZE) if width >= height else dict(height=SIZE)
    try:
        png = bytes(resvg.svg_to_bytes(svg_string=svg, skip_system_fonts=True, **longer))
    except Exception as error:  # resvg's errors have no class of their own
        raise ValueError(f'{where} cannot be drawn: {error}') from error
    drawn = Image.open(BytesIO(png)).convert('RGBA')
    image = Image.new('RGB', (SIZE, SIZE), 'white')
    image.paste(drawn, ((SIZE - drawn.width) // 2, (SIZE - drawn.height) // 2), drawn)
    return np.asarray(image)


def read_arrays(path: Path) -> Iterator[Picture]:
    """The icons of a NumPy archive, if they were drawn before.

    Args:
        path: A file ``.npz`` with ``image`` (N, 48, 48, 3) uint8, ``label`` and ``family`` (N,),
            and the texts that these number, ``label_names`` and ``family_names``.

    Raises:
        ValueError: It is no such archive.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            image, label, family = archive['image'], archive['label'], archive['family']
            names, families = archive['label_names'][label], archive['family_names'][family]
    except FileNotFoundError:
        raise
    except Exception as error:  # zipfile, zlib and numpy raise many kinds
        raise ValueError(
            f'{path} is no archive of icons with image, label, family, label_names and '
            f'family_names, or is cut short: copy it anew ({type(error).__name__}: {error})'
        ) from error
    if image.dtype != np.uint8 or image.shape[1:] != (SIZE, SIZE, 3):
        raise ValueError(
            f"{path}: 'image' must be (N, {SIZE}, {SIZE}, 3) uint8, got {image.shape} {image.dtype}"
        )
    return map(Picture, map(str, names), map(str, families), image)
