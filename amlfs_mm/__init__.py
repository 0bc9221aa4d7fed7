"""AM-LFS: AutoML for Loss Function Search (ICCV 2019) as an MMEngine extension.

Importing the package registers all its components, scope ``amlfs_mm``.
"""

from . import compat, datasets, engine, evaluation, models, registry, search
from .version import __version__

__all__ = [
    '__version__',
    'compat',
    'datasets',
    'engine',
    'evaluation',
    'models',
    'registry',
    'search',
]
