"""Reading an image whole or not at all."""

from __future__ import annotations

import mmcv
import numpy as np
from mmcv.transforms import LoadImageFromFile

from amlfs_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadWholeImage(LoadImageFromFile):
    """mmcv's ``LoadImageFromFile`` through Pillow, with an error that names a damaged file.

    OpenCV, mmcv's default, fills the missing part of a truncated JPEG with grey and goes on.

    Where the data set has read the encoded image already, as from a record file, it is in
    ``img_bytes`` (removed here), and ``img_path`` only names it.

    Raises:
        OSError: The file is no image or is cut short.
    """

    def __init__(self, **kwargs) -> None:
        super().__init__(imdecode_backend='pillow', **kwargs)

    def transform(self, results: dict) -> dict:
        if 'img_bytes' in results:
            image = decode_image(results.pop('img_bytes'), results['img_path'], self.color_type)
            results['img'] = image.astype(np.float32) if self.to_float32 else image
            results['img_shape'] = results['ori_shape'] = image.shape[:2]
            return results
        try:
            return super().transform(results)
        except FileNotFoundError:
            raise
        except (OSError, SyntaxError) as error:  # Pillow's ways to say so
            raise unreadable_image(results['img_path'], error) from error


def decode_image(
    content: bytes, name: str, color_type: str = 'color', channel_order: str = 'bgr'
) -> np.ndarray:
    """The image (H, W, 3) uint8 that a file's bytes encode.

    Args:
        content: The bytes.
        name: Of the image, for the error.
        color_type: As in ``mmcv.imfrombytes``.
        channel_order: ``bgr`` or ``rgb``.

    Raises:
        OSError: They are no image or are cut short.
    """
    try:
        return mmcv.imfrombytes(content, color_type, channel_order, backend='pillow')
    except (OSError, SyntaxError) as error:
        raise unreadable_image(name, error) from error


def unreadable_image(name: str, error: Exception) -> OSError:
    """The error that names the image."""
    return OSError(
        f'{name} cannot be read, it is no image or is cut short: copy it anew or remove it '
        f'({error})'
    )
