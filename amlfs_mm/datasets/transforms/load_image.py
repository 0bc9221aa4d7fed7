"""Reading an image whole or not at all."""

from __future__ import annotations

import mmengine.fileio as fileio
import numpy as np
from mmcv.transforms import LoadImageFromFile

from amlfs_mm.registry import TRANSFORMS

from ..image_bytes import decode_image


@TRANSFORMS.register_module()
class LoadWholeImage(LoadImageFromFile):
    """mmcv's ``LoadImageFromFile`` with Pillow, and an error that names a damaged file.

    OpenCV, mmcv's default, fills the missing part of a JPEG file that is cut short with grey. What
    becomes of 16-bit and float images is at :func:`amlfs_mm.datasets.image_bytes.decode_image`.

    If the data set has read the encoded image already, as from a record file, it is in
    ``img_bytes`` (removed here), and ``img_path`` only names it.

    Adds ``img``, (H, W, 3) uint8 BGR, or float32 with ``to_float32``, ``img_shape`` and
    ``ori_shape``, both (H, W).

    Args:
        kwargs: As in ``LoadImageFromFile``, except ``imdecode_backend``.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: The file is no image, is cut short, or has values without a known range.
    """

    reads_16_bits = True

    def __init__(self, **kwargs) -> None:
        super().__init__(imdecode_backend='pillow', **kwargs)

    def transform(self, results: dict) -> dict | None:
        """The results with the decoded image; None if it is damaged and ``ignore_empty`` is set."""
        path = results['img_path']
        try:
            content = results.pop('img_bytes', None)
            if content is None:
                content = self._read(path)
            image = decode_image(content, path, self.color_type)
        except OSError:
            if self.ignore_empty:
                return None
            raise
        results['img'] = image.astype(np.float32) if self.to_float32 else image
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results

    def _read(self, path: str) -> bytes:
        if self.file_client_args is not None:
            return fileio.FileClient.infer_client(self.file_client_args, path).get(path)
        return fileio.get(path, backend_args=self.backend_args)
