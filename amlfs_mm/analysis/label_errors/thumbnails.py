"""Small pictures of training samples, as data URLs for an HTML page."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from torch import Tensor

SIDE = 96
"""Pixels of a thumbnail's longer side; smaller images are enlarged by whole pixels."""


def thumbnail(image: Tensor, preprocessor: Mapping[str, Any]) -> str:
    """A JPEG as a ``data:`` URL.

    Args:
        image: (1 or 3, H, W), as the pipeline packs it.
        preprocessor: The config's ``data_preprocessor``. If it has ``to_rgb``, images are packed
            as BGR; if not, three channels count as RGB.
    """
    pixels = image.numpy().transpose(1, 2, 0).astype(np.float32)
    pixels = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., :1]
    if image.is_floating_point() and pixels.max() <= 1:
        pixels = pixels * 255
    if pixels.shape[2] == 3 and not preprocessor.get('to_rgb', False):
        pixels = pixels[..., ::-1]  # cv2 writes BGR
    small = resize(np.ascontiguousarray(pixels.clip(0, 255).astype(np.uint8)))
    _, encoded = cv2.imencode('.jpg', small, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return f'data:image/jpeg;base64,{base64.b64encode(encoded.tobytes()).decode()}'


def resize(pixels: np.ndarray) -> np.ndarray:
    """The image with a longer side of about ``SIDE`` pixels."""
    height, width = pixels.shape[:2]
    longer = max(height, width)
    if longer <= SIDE // 2:
        times = SIDE // longer
        size = (width * times, height * times)
        return cv2.resize(pixels, size, interpolation=cv2.INTER_NEAREST)
    size = (max(1, round(width * SIDE / longer)), max(1, round(height * SIDE / longer)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
