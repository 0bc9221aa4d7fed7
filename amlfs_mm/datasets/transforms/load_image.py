"""Reading an image whole or not at all."""

from __future__ import annotations

from mmcv.transforms import LoadImageFromFile

from amlfs_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadWholeImage(LoadImageFromFile):
    """mmcv's ``LoadImageFromFile`` through Pillow, with an error that names a damaged file.

    OpenCV, mmcv's default, fills the missing part of a truncated JPEG with grey and goes on.

    Raises:
        OSError: The file is no image or is cut short.
    """

    def __init__(self, **kwargs) -> None:
        super().__init__(imdecode_backend='pillow', **kwargs)

    def transform(self, results: dict) -> dict:
        try:
            return super().transform(results)
        except FileNotFoundError:
            raise
        except (OSError, SyntaxError) as error:  # Pillow's ways to say so
            raise OSError(
                f'{results["img_path"]} cannot be read, it is no image or is cut short: copy it '
                f'anew or remove it ({error})'
            ) from error
