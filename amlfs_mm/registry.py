"""Child registries of mmengine's: a component is ``amlfs_mm.X`` in any config.

A registry imports its ``locations`` on the first look-up. A program that needs no component does
not wait for them, nor for mmpretrain, which most of them build on.
"""

import ast
from typing import Any

from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import RUNNERS as MMENGINE_RUNNERS
from mmengine.registry import TASK_UTILS as MMENGINE_TASK_UTILS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import Registry

DATA_SAMPLERS = Registry(
    'data sampler', parent=MMENGINE_DATA_SAMPLERS, locations=['amlfs_mm.datasets']
)
DATASETS = Registry('dataset', parent=MMENGINE_DATASETS, locations=['amlfs_mm.datasets'])
HOOKS = Registry('hook', parent=MMENGINE_HOOKS, locations=['amlfs_mm.engine'])
LOOPS = Registry('loop', parent=MMENGINE_LOOPS, locations=['amlfs_mm.engine'])
METRICS = Registry('metric', parent=MMENGINE_METRICS, locations=['amlfs_mm.evaluation'])
MODELS = Registry('model', parent=MMENGINE_MODELS, locations=['amlfs_mm.models'])
OPTIM_WRAPPERS = Registry(
    'optimizer wrapper', parent=MMENGINE_OPTIM_WRAPPERS, locations=['amlfs_mm.engine']
)
RUNNERS = Registry('runner', parent=MMENGINE_RUNNERS, locations=['amlfs_mm.engine'])
TRANSFORMS = Registry('transform', parent=MMENGINE_TRANSFORMS, locations=['amlfs_mm.datasets'])

# Search spaces, policies and reward filters. `amlfs_mm.search` imports torch alone and knows no
# registry: its classes are registered from here. Other classes register themselves here too.
TASK_UTILS = Registry('task util', parent=MMENGINE_TASK_UTILS, locations=['amlfs_mm.engine'])


def _register_search() -> None:
    from . import search

    for name in (
        'BranchSearchSpace',
        'CMAESPolicy',
        'GaussianPolicy',
        'IgnoreTies',
        'MonotoneSearchSpace',
        'NullReward',
        'SearchSoftmaxSpace',
        'SearchSpace',
    ):
        TASK_UTILS.register_module(module=getattr(search, name))


def search_space_of(text: str) -> Any:
    """The search space with this ``repr``, such as ``SearchSpace(num_intervals=6)``, from a file.

    Raises:
        ValueError: The text is not a call of a registered space with plain arguments.
    """
    try:
        return _evaluate(ast.parse(text, mode='eval').body)
    except (SyntaxError, TypeError, ValueError) as error:
        raise ValueError(
            f'{text!r} names no search space ({error}): expected is the repr of a space that '
            'TASK_UTILS has'
        ) from error


def _evaluate(node: ast.expr) -> Any:
    """The value of a literal, or of a call of a registered class."""
    if not isinstance(node, ast.Call):
        return ast.literal_eval(node)
    kind = TASK_UTILS.get(node.func.id) if isinstance(node.func, ast.Name) else None
    if kind is None:
        raise ValueError('unknown class')
    if any(keyword.arg is None for keyword in node.keywords):
        raise ValueError('** is no plain argument')
    keywords = {str(keyword.arg): _evaluate(keyword.value) for keyword in node.keywords}
    return kind(*map(_evaluate, node.args), **keywords)


_register_search()
