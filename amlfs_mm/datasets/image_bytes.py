"""Decoding an image file: the picture that is in it, or an error that names the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO

import cv2
import mmcv
import numpy as np
from PIL import Image, ImageOps, TiffImagePlugin

TIFF_MARKS = (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')
BITS_PER_SAMPLE, PHOTOMETRIC, SAMPLE_FORMAT = 258, 262, 339  # tags of TIFF
UNSIGNED, WHITE_IS_ZERO = 1, 0  # values of the last two
EXTENSION_OF = dict(
    JPEG='.jpg', MPO='.jpg', PNG='.png', BMP='.bmp', DIB='.dib', PPM='.ppm', TIFF='.tif',
    WEBP='.webp', GIF='.gif', JPEG2000='.jp2', AVIF='.avif',
)  # fmt: skip
"""Of Pillow's formats: the end of a file name, one of ``IMAGE_EXTENSIONS``."""


def decode_image(
    content: bytes, name: str, color_type: str = 'color', channel_order: str = 'bgr'
) -> np.ndarray:
    """The image (H, W, 3) uint8 that a file's bytes encode.

    mmcv decodes it, with Pillow, which refuses files that are cut short; OpenCV fills the missing
    part with grey. Grey images of 16 bits are divided by 256, as mmcv does with OpenCV: Pillow
    alone would make almost all of their values white.

    Args:
        content: The bytes.
        name: Of the image, for the error.
        color_type: As in ``mmcv.imfrombytes``; ``unchanged`` gives the values of the file.
        channel_order: ``bgr`` or ``rgb``.

    Raises:
        OSError: They are no image, are cut short, or have values without a known range: floats,
            signed or 32-bit integers.
    """
    try:
        if color_type != 'unchanged' and not content.startswith(b'\xff\xd8'):  # not JPEG
            if content.startswith(TIFF_MARKS):
                check_tiff(BytesIO(content))
            with Image.open(BytesIO(content)) as image:
                if image.mode.startswith(('I', 'F')):
                    content = encode_8_bit(image, color_type)
        return mmcv.imfrombytes(content, color_type, channel_order, backend='pillow')
    except Exception as error:  # on damaged files Pillow raises errors of a dozen kinds
        raise unreadable_image(name, error) from error


def encode_8_bit(image: Image.Image, color_type: str) -> bytes:
    """A grey image of 16 bits as the bytes of a file of 8 bits, turned as its EXIF data say.

    Raises:
        ValueError: Its values are no unsigned integers of 9 to 16 bits.
    """
    bits = count_bits(image)
    if not 8 < bits <= 16:
        raise ValueError(
            f'its values are of the type {image.mode!r} ({image.format}), whose range is not '
            'known: save it with 8 or 16 bits a channel'
        )
    turned = image if 'ignore_orientation' in color_type else ImageOps.exif_transpose(image)
    values = np.asarray(turned).astype(np.int64)
    if getattr(image, 'tag_v2', {}).get(PHOTOMETRIC) == WHITE_IS_ZERO:
        values = 2**bits - 1 - values
    buffer = BytesIO()
    Image.fromarray((values >> (bits - 8)).clip(0, 255).astype(np.uint8)).save(buffer, 'BMP')
    return buffer.getvalue()


def count_bits(image: Image.Image) -> int:
    """Bits of a grey value, if it is an unsigned integer; else 0."""
    if image.mode.startswith('I;16'):
        return int(getattr(image, 'tag_v2', {}).get(BITS_PER_SAMPLE, (16,))[0])
    # Pillow has 16-bit PGM, and in older versions 16-bit PNG, as 32-bit integers.
    return 16 if image.mode == 'I' and image.format in ('PNG', 'PPM') else 0


def check_tiff(file: BinaryIO) -> None:
    """A TIFF image has unsigned integers of 16 bits at most: others have no known range.

    OpenCV cuts floats at 0 and 255: an image in [0, 1] becomes black.

    Args:
        file: The file, at its start.

    Raises:
        ValueError: The image has other values.

    When:
        An image is loaded.
    """
    header = file.read(8)
    if header[2:3] == b'+' or header[3:4] == b'+':  # BigTIFF
        header += file.read(8)
    directory = TiffImagePlugin.ImageFileDirectory_v2(header)
    file.seek(directory.next)
    directory.load(file)
    bits = max(directory.get(BITS_PER_SAMPLE, (1,)))
    kinds = set(directory.get(SAMPLE_FORMAT, (UNSIGNED,)))
    if kinds != {UNSIGNED} or bits > 16:
        name = {1: 'unsigned integers', 2: 'signed integers', 3: 'floats'}.get(max(kinds), 'others')
        raise ValueError(
            f'its values are {name} of {bits} bits, whose range is not known: save it with 8 or '
            '16 bits a channel'
        )


def check_value_range(file: BinaryIO, name: str) -> None:
    """A TIFF file has values of a known range (see ``check_tiff``), whatever decodes it.

    Args:
        file: The file, at its start. One of another format is not looked at.
        name: Of the image, for the error.

    Raises:
        OSError: The file has values of no known range, or is no whole TIFF file.

    When:
        An image of a data set of this package is loaded.
    """
    if not file.read(4).startswith(TIFF_MARKS):
        return
    file.seek(0)
    try:
        check_tiff(file)
    except Exception as error:
        raise unreadable_image(name, error) from error


def _cuts_16_bits(transform: object) -> bool:
    """Whether it is mmcv's loader with Pillow, which cuts 16-bit values at 255."""
    with_pillow = getattr(transform, 'imdecode_backend', None) == 'pillow'
    return with_pillow and not getattr(transform, 'reads_16_bits', False)


def check_8_bit(file: BytesIO | str, name: str) -> None:
    """A grey image that mmcv loads with Pillow has 8 bits a value.

    Args:
        file: The encoded image, or its path.
        name: Of the image, for the error.

    Raises:
        OSError: The image has more bits, or the file is no image.

    When:
        A data set of this package loads an image by ``LoadImageFromFile`` with
        ``imdecode_backend='pillow'``.
    """
    try:
        with Image.open(file) as image:
            bits = count_bits(image)
    except Exception as error:
        raise unreadable_image(name, error) from error
    if bits > 8:
        reason = f"it has {bits} bits a value, which mmcv's loader cuts at 255 with Pillow: "
        raise unreadable_image(
            name, ValueError(reason + 'use amlfs_mm.LoadWholeImage, or imdecode_backend="cv2"')
        )


@contextmanager
def loading(
    path: str, content: bytes | None = None, transforms: Sequence[object] = ()
) -> Iterator[None]:
    """While a pipeline loads an image: it has values of a known range, and errors name it.

    Args:
        path: Of the image.
        content: The encoded image, where it is known already.
        transforms: Of the pipeline.

    Raises:
        OSError: Its values have no known range, or OpenCV or Pillow cannot read it, or mmcv would
            load it with Pillow and make 16 bits white.
    """
    if any(map(_cuts_16_bits, transforms)):
        check_8_bit(BytesIO(content) if content is not None else path, path)
    if content is not None:
        check_value_range(BytesIO(content), path)
    elif path.lower().endswith(('.tif', '.tiff')):
        with open(path, 'rb') as file:
            check_value_range(file, path)
    try:
        yield
    except (cv2.error, OSError) as error:  # some do not say which image
        if path in str(error):
            raise
        raise unreadable_image(path, error) from error


def extension_of(content: bytes, name: str) -> str:
    """The end of a file name for an encoded image, so that every data set will see the file.

    Raises:
        OSError: It is no image, or of a format that the data sets do not read.
    """
    try:
        with Image.open(BytesIO(content)) as image:
            return EXTENSION_OF[image.format]
    except KeyError as error:
        raise OSError(
            f'{name} has the format {error}: expected one of {sorted(EXTENSION_OF)}'
        ) from None
    except Exception as error:
        raise unreadable_image(name, error) from error


def unreadable_image(name: str, error: Exception) -> OSError:
    """The error that names the image."""
    return OSError(
        f'{name} cannot be read, it is no image or is cut short: copy it anew or remove it '
        f'({error})'
    )
