"""Five landmarks of a face: left eye, right eye, nose, left and right corner of the mouth.

Left and right are those of the picture; x and y in pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from amlfs_mm.utils.optional_imports import import_insightface


class LandmarkList:
    """Landmarks that a text file lists.

    A line is ``<path> x1 y1 x2 y2 x3 y3 x4 y4 x5 y5``, the path relative to the image folder (it
    may have spaces in it), in the order above. Empty lines and those that start with # do not
    count.

    Args:
        path: The file.

    Raises:
        ValueError: A line is not that, or an image has two.
    """

    def __init__(self, path: str | Path) -> None:
        self._landmarks = {}
        for number, line in enumerate(Path(path).read_text().splitlines(), start=1):
            if not line.strip() or line.startswith('#'):
                continue
            name, *numbers = line.rsplit(maxsplit=10)
            try:
                points = np.array([float(value) for value in numbers]).reshape(5, 2)
            except ValueError:
                raise ValueError(
                    f'{path}, line {number}: {line!r} is not <path> and five landmarks, ten numbers'
                ) from None
            if name in self._landmarks:
                raise ValueError(f'{path}, line {number}: {name} has landmarks already')
            self._landmarks[name] = points

    def __call__(self, name: str, photo: np.ndarray) -> np.ndarray:
        """The landmarks (5, 2) of an image.

        Raises:
            LookupError: It has none.
        """
        if name not in self._landmarks:
            raise LookupError('no landmarks')
        return self._landmarks[name]


class LandmarkDetector:
    """insightface's detector, from a model that is on this machine: nothing is downloaded.

    Args:
        path: Such as ``~/.insightface/models/buffalo_l/det_10g.onnx``.

    Raises:
        ImportError: insightface is not installed.
        FileNotFoundError: There is no such file.
        ValueError: It is no detector with landmarks.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path).expanduser()
        if not path.is_file():  # else insightface would look for a download of that name
            raise FileNotFoundError(
                f"there is no detector {path}. It is the file det_*.onnx of insightface's model "
                'packs, such as buffalo_l; nothing is downloaded here'
            )
        model_zoo = import_insightface('model_zoo')
        self.model = model_zoo.get_model(str(path))
        if not getattr(self.model, 'use_kps', False):
            raise ValueError(
                f'{path} is no detector with landmarks, but {type(self.model).__name__}'
            )
        self.model.prepare(ctx_id=0)

    def __call__(self, name: str, photo: np.ndarray) -> np.ndarray:
        """The landmarks (5, 2) of the largest face near the middle of a BGR image.

        Raises:
            LookupError: There is no face.
        """
        _, landmarks = self.model.detect(photo, max_num=1)
        if len(landmarks) == 0:
            raise LookupError('no face found')
        return landmarks[0]
