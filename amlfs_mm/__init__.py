"""AM-LFS: AutoML for Loss Function Search (ICCV 2019) as an MMEngine extension.

Importing the package cures the OpenMMLab stack (:mod:`.compat`) and makes the registries of scope
``amlfs_mm`` known (:mod:`.registry`). The components, and mmpretrain with them, are imported on a
registry's first look-up, or when a sub-package is first used.
"""

from importlib import import_module

from amlfs_mm.version import __version__

from . import compat, registry

SUB_PACKAGES = (
    'analysis',
    'datasets',
    'engine',
    'evaluation',
    'export',
    'models',
    'search',
    'visualization',
)
__all__ = ['__version__', 'compat', 'registry']


def __getattr__(name: str):
    """``amlfs_mm.models`` and its like without an import of their own (PEP 562)."""
    if name in SUB_PACKAGES:
        return import_module(f'{__name__}.{name}')
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted({*globals(), *SUB_PACKAGES})
