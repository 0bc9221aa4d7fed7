"""Packages that may be missing: one sentence says what to install."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

# Packages that have the same import name must never be installed together: the wheel requires none
# of them, and takes what is there.
OPENMMLAB = dict(
    mmengine='mmengine or onedl-mmengine',
    mmcv='mmcv, mmcv-lite or onedl-mmcv',
    mmpretrain='mmpretrain or onedl-mmpretrain',
)


def check_openmmlab() -> None:
    """The packages of OpenMMLab are installed; none of them is imported.

    Raises:
        ImportError: A package is not installed; the message says what to install.

    When:
        ``amlfs_mm`` is imported.
    """
    for module, choices in OPENMMLAB.items():
        if find_spec(module) is None:
            raise ImportError(
                f"amlfs_mm needs {choices}: pip install 'amlfs_mm[lite]' brings mmengine, "
                'mmcv-lite and mmpretrain where none of them is installed'
            )


@contextmanager
def needs_extra(extra: str, user: str) -> Iterator[None]:
    """Say which extra of this package to install if an import in the body fails.

    Args:
        extra: Of this package.
        user: What needs it; the sentence starts with it.

    Raises:
        ImportError: In place of that of the body.
    """
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"{user} needs more packages: pip install 'amlfs_mm[{extra}]' ({error})"
        ) from error


def import_torchreid(module: str) -> ModuleType:
    """A module of torchreid by its name below ``torchreid.reid``, such as ``models``.

    Raises:
        ImportError: torchreid, or something that it needs without saying so, is not installed.
    """
    with needs_extra('reid', 'person re-identification'), warnings.catch_warnings():
        # Ranking in Cython is not in its wheel; ours takes its place.
        warnings.filterwarnings('ignore', 'Cython evaluation')
        return import_module(f'torchreid.reid.{module}')


def import_insightface(module: str) -> ModuleType:
    """A module of insightface by its name below ``insightface``, such as ``utils.face_align``.

    Raises:
        ImportError: insightface, or something that it needs, is not installed.
    """
    with needs_extra('face', 'this part of face recognition'):
        return import_module(f'insightface.{module}')


def import_resvg() -> ModuleType:
    """The module resvg_py, which draws SVG.

    Raises:
        ImportError: It is not installed.
    """
    with needs_extra('icons', 'drawing icons'):
        return import_module('resvg_py')
