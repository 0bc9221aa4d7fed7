"""Which names are those of images, and which files and folders are not the user's own."""

from __future__ import annotations

from collections.abc import Sequence

IMAGE_EXTENSIONS = (
    *('.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.bmp', '.dib', '.ppm', '.pgm', '.pbm', '.pnm'),
    *('.tif', '.tiff', '.webp', '.gif', '.jp2', '.avif'),
)
"""Lower case; a file name may have them in any case. Pillow and OpenCV read all of them."""

SYSTEM_NAMES = frozenset(
    [
        *('thumbs.db', 'ehthumbs.db', 'desktop.ini', '__macosx', '@eadir', '$recycle.bin'),
        *('system volume information', 'lost+found', 'icon\r'),
    ]
)
"""Lower case. Operating systems and archive tools put files and folders of these names anywhere."""


def is_image_name(name: str, extensions: Sequence[str] = IMAGE_EXTENSIONS) -> bool:
    """Whether a file name ends like an image's, in upper or lower case."""
    return name.lower().endswith(tuple(extensions))


def is_ignored(name: str) -> bool:
    """Whether a file or folder is hidden (``.x``) or one that an operating system makes."""
    return name.startswith('.') or name.lower() in SYSTEM_NAMES
