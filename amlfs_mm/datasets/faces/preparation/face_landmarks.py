"""Five landmarks of a face: left eye, right eye, nose, left and right corner of the mouth.

Left and right are those of the picture; x and y in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from amlfs_mm.utils.optional_imports import import_insightface
from amlfs_mm.utils.paths import user_path
from amlfs_mm.utils.text_lists import (
    Line,
    NameIndex,
    check_matches,
    read_lines,
    real_number,
    split_numbers,
)

LEAST_MATCHED = 1 / 3
"""The share of a list's images that must be in the folder that it is for."""


class LandmarkList:
    """Landmarks that a text file lists.

    A line is ``<path> x1 y1 x2 y2 x3 y3 x4 y4 x5 y5``, the path relative to the image folder (it
    may have spaces in it), in the order above. Between the fields are spaces, tabs, commas or
    semicolons. Blank lines and those that start with # do not count.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A line is not that, or an image has two; the message names the line.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path
        self._lines: dict[str, Line] = {}
        self._landmarks: dict[str, np.ndarray] = {}
        for line in read_lines(path, comments=True):
            found = split_numbers(line.text, 10, real_number)
            if found is None:
                raise ValueError(
                    f'{path}, line {line.number}: {line.text!r} is not <path> and five landmarks, '
                    'ten numbers'
                )
            name, numbers = found
            if name in self._landmarks:
                raise ValueError(f'{path}, line {line.number}: {name} has landmarks already')
            self._lines[name] = line
            self._landmarks[name] = np.array(numbers).reshape(5, 2)

    def check(self, names: Sequence[str]) -> None:
        """The list must be that of these images; names may differ in case and extension.

        Args:
            names: Their paths, relative to the folder.

        Raises:
            ValueError: Less than a third of the listed images are among them, or a listed image
                could be several of them; the message names the line.
        """
        index = NameIndex(names)
        unknown, landmarks = [], {}
        for name, line in self._lines.items():
            try:
                number = index.find(name)
            except ValueError as error:
                raise ValueError(f'{self.path}, line {line.number}: {error}') from None
            if number is None:
                unknown.append(line)
            elif names[number] in landmarks:
                raise ValueError(
                    f'{self.path}, line {line.number}: {names[number]} has landmarks already'
                )
            else:
                landmarks[names[number]] = self._landmarks[name]
        check_matches(self.path, len(landmarks), unknown, LEAST_MATCHED, 'images', names)
        self._landmarks = landmarks

    def __call__(self, name: str, photo: np.ndarray) -> np.ndarray:
        """The landmarks (5, 2) of an image.

        Raises:
            LookupError: The image has none.
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
        path = user_path(path)
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
