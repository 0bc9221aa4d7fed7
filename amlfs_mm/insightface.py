"""insightface, an optional dependency: imported when something of it is used, never before."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


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
