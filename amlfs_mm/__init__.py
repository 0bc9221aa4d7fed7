"""AM-LFS: AutoML for Loss Function Search (ICCV 2019) as an MMEngine extension.

Importing the package repairs the OpenMMLab stack for current versions of its dependencies
(:mod:`.compat`) and sets up the registries of scope ``amlfs_mm`` (:mod:`.registry`). Components are
imported when a registry or a sub-package is first used, and mmpretrain with them.

Raises:
    ImportError: mmengine, mmcv or mmpretrain is not installed.
"""

from importlib import import_module
from types import ModuleType

from amlfs_mm.utils.optional_imports import check_openmmlab
from amlfs_mm.version import __version__

check_openmmlab()

from . import compat, registry  # noqa: E402  (they import mmengine)

SUB_PACKAGES = (
    'analysis',
    'cli',
    'datasets',
    'engine',
    'evaluation',
    'export',
    'models',
    'search',
    'visualization',
)
__all__ = ['__version__', 'compat', 'registry']


def __getattr__(name: str) -> ModuleType:
    """Import a sub-package, such as ``amlfs_mm.models``, on its first use (PEP 562)."""
    if name in SUB_PACKAGES:
        return import_module(f'{__name__}.{name}')
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted({*globals(), *SUB_PACKAGES})
