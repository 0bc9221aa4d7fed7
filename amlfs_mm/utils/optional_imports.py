"""Optional dependencies: imported where something of them is used, never before."""

from __future__ import annotations

import warnings
from importlib import import_module
from types import ModuleType


def import_torchreid(module: str) -> ModuleType:
    """A module of torchreid by its name below ``torchreid.reid``, such as ``models``.

    Raises:
        ImportError: torchreid, or something that it needs without saying so, is not installed.
    """
    try:
        with warnings.catch_warnings():
            # Ranking in Cython is not in its wheel; ours takes its place.
            warnings.filterwarnings('ignore', 'Cython evaluation')
            return import_module(f'torchreid.reid.{module}')
    except ImportError as error:
        raise ImportError(
            'person re-identification needs torchreid and its dependencies: pip install '
            f"'amlfs_mm[reid]' ({error})"
        ) from error


def import_insightface(module: str) -> ModuleType:
    """A module of insightface by its name below ``insightface``, such as ``utils.face_align``.

    Raises:
        ImportError: insightface, or something that it needs, is not installed.
    """
    try:
        return import_module(f'insightface.{module}')
    except ImportError as error:
        raise ImportError(
            f"this needs insightface and its dependencies: pip install 'amlfs_mm[face]' ({error})"
        ) from error
