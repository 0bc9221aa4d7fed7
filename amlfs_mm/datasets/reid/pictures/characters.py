"""Characters in the fonts that matplotlib ships: pictures for identities without a download."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

from .picture_market import SIZE, Picture

TYPEFACES = {
    'DejaVu Sans': ('DejaVuSans', ('', '-Bold', '-Oblique', '-BoldOblique')),
    'DejaVu Sans Mono': ('DejaVuSansMono', ('', '-Bold', '-Oblique', '-BoldOblique')),
    'DejaVu Serif': ('DejaVuSerif', ('', '-Bold', '-Italic', '-BoldItalic')),
    'STIX': ('STIXGeneral', ('', 'Bol', 'Italic', 'BolIta')),
}
"""The families, each a file's name and how its four fonts end."""
POINTS, INK = 32, 32


def draw_characters() -> Iterator[Picture]:
    """Letters and digits in 16 fonts. A typeface, of four fonts, is a family.

    A character that all fonts have is taken unless it looks in one of them exactly like one before
    it, as the Greek and Cyrillic capital A look like the Latin one.

    Raises:
        OSError: A font is not where matplotlib has its fonts.
    """
    folder = Path(matplotlib.get_data_path()) / 'fonts' / 'ttf'
    paths = {
        folder / f'{name}{end}.ttf': typeface
        for typeface, (name, ends) in TYPEFACES.items()
        for end in ends
    }
    maps = [set(TTFont(path, lazy=True).getBestCmap()) for path in paths]
    fonts = [ImageFont.truetype(str(path), POINTS) for path in paths]
    seen: list[set[bytes]] = [set() for _ in fonts]
    for character in map(chr, sorted(set.intersection(*maps))):
        if unicodedata.category(character)[0] not in 'LN':  # letters, numbers
            continue
        images = [draw_character(font, character) for font in fonts]
        contents = [image.tobytes() for image in images]
        if any(content in before for content, before in zip(contents, seen, strict=True)):
            continue
        for content, before, image, typeface in zip(
            contents, seen, images, paths.values(), strict=True
        ):
            before.add(content)
            yield Picture(f'U+{ord(character):04X}', typeface, image)


def draw_character(font: ImageFont.FreeTypeFont, character: str) -> np.ndarray:
    """A character as (48, 48, 3) uint8, dark on white, in the middle of its line."""
    image = Image.new('RGB', (SIZE, SIZE), 'white')
    middle = (SIZE // 2, SIZE // 2)
    ImageDraw.Draw(image).text(middle, character, fill=(INK,) * 3, font=font, anchor='mm')
    return np.asarray(image)
