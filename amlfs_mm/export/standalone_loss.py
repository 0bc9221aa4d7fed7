"""A searched loss as one Python file that needs torch alone, or another project's interface."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pprint import pformat
from typing import NamedTuple

import torch
from torch import Tensor

from amlfs_mm.engine.history.loss_schedule import LossSchedule, interpolate, middles_of
from amlfs_mm.engine.history.merged_schedule import shortest
from amlfs_mm.models.layers.unit_linear import norm
from amlfs_mm.models.losses import written_out_loss
from amlfs_mm.registry import search_space_of
from amlfs_mm.search import (
    MonotoneSearchSpace,
    SearchSoftmaxSpace,
    SearchSpace,
    monotone_space,
    piecewise_linear,
    search_softmax_space,
)
from amlfs_mm.search.head_options import head_options
from amlfs_mm.search.loss_file import read_loss
from amlfs_mm.version import __version__

from . import loss_template as template

TARGETS = ('torch', 'arcface_torch', 'pytorch_metric_learning')
"""What a loss can be written for."""

HEADER = '''"""{title}

{about}
{usage}

Written by amlfs_mm {version} (amlfs_mm zoo export). The search is that of AM-LFS (Li et al., ICCV
2019, https://arxiv.org/abs/1905.07375). The loss is -log tau(p) (Eq. 4, 16, 17) in the search
space {space}.

Copyright: the amlfs_mm contributors. Licence: Apache-2.0,
https://www.apache.org/licenses/LICENSE-2.0
SPDX-License-Identifier: Apache-2.0
"""

from __future__ import annotations

{imports}
'''

USAGE = dict(
    torch="""Use, with the logits of a linear layer without bias, or with cosines:

    criterion = SearchedSoftmax()
    loss = criterion(logits, target, progress, norms_of(features, layer.weight, target))

    criterion = SearchedSoftmax(scale=30.0)
    loss = criterion(cosines, target, progress)""",
    margin="""Use in insightface's arcface_torch, in place of CosFace or ArcFace:

    margin_loss = SearchedMargin(s=64.0)
    margin_loss.progress = step / total_steps    # in the training loop""",
    criterion="""Use in place of arcface_torch's margin and cross entropy, in one process:

    criterion = SearchedCriterion(s=64.0)
    criterion.progress = step / total_steps    # in the training loop
    loss = criterion(cosines, labels)""",
    pytorch_metric_learning="""Use in pytorch-metric-learning. Its weights W need an optimizer:

    loss_func = SearchedSoftmaxLoss(num_classes, embedding_size, scale=30.0)
    loss_func.progress = (epoch + 0.5) / epochs    # in the training loop
    loss = loss_func(embeddings, labels)""",
)

METRIC_LEARNING = '''class SearchedSoftmaxLoss(losses.NormalizedSoftmaxLoss):
    """The searched loss with class weights ``W`` of its own.

    Set ``progress`` in the training loop, unless the loss is constant.

    Args:
        num_classes: C.
        embedding_size: D.
        scale: s, the logits are ``s cos``.
        kwargs: As for all losses of pytorch-metric-learning with class weights.
    """

    def __init__(
        self, num_classes: int, embedding_size: int, scale: float = 30.0, **kwargs
    ) -> None:
        # At temperature 1 the logits of NormalizedSoftmaxLoss are cosines.
        super().__init__(num_classes, embedding_size, temperature=1.0, **kwargs)
        self.cross_entropy = SearchedSoftmax(scale=scale, reduction='none')

    @property
    def progress(self) -> float | None:
        """The share of the training that is done, from 0 to 1."""
        return self.cross_entropy.progress

    @progress.setter
    def progress(self, value: float) -> None:
        self.cross_entropy.progress = value
'''


class LossTable(NamedTuple):
    """The losses of a file, and the points of the training at which they hold."""

    space: SearchSpace
    theta: Tensor
    """(K, D)"""
    middles: Tensor
    """(K,) float64, from 0 to 1"""
    head: dict
    """``min_slope`` and ``tau_floor``"""

    def at(self, progress: Sequence[float]) -> Tensor:
        """The losses (T, D) at T points of the training, from 0 to 1."""
        return interpolate(
            self.theta, self.middles, torch.tensor(list(progress), dtype=torch.float64)
        )


def loss_table(path: str, content: dict) -> LossTable:
    """The losses in a ``loss_schedule.json``, or the one of a loss file.

    Args:
        path: Of the file, for messages.
        content: Of the file.

    Raises:
        ValueError: The file is neither of the two.
    """
    if 'epochs' not in content:
        space = search_space_of(content['search_space'])
        theta, middles = read_loss(space, path)[None], middles_of(1)
    else:
        schedule = LossSchedule(path, content)
        space = search_space_of(schedule.search_space)
        theta, middles = schedule.stretched(len(schedule)), middles_of(len(schedule))
    if isinstance(space, SearchSpace):
        theta = torch.stack([space.with_identity(row) for row in theta])
    return LossTable(space, theta, middles, head_options(content))


def standalone_loss(table: LossTable, target: str, title: str, about: str = '') -> str:
    """The source text of a Python file with the loss.

    Args:
        table: The losses.
        target: One of :data:`TARGETS`.
        title: The first line of the file's docstring.
        about: More lines of it: what the loss was searched on, and what was measured.

    Raises:
        ValueError: The target is unknown, or the search space is none of this package's spaces of
            one loss.
    """
    if target not in TARGETS:
        raise ValueError(f'a loss is written for {", ".join(TARGETS)}, got {target!r}')
    imports = ['from functools import cache', '', 'import torch', 'from torch import Tensor, nn']
    shared = [written_out_loss.log_tau_and_weight, written_out_loss._WrittenOutLoss, interpolate]
    shared += [template.Schedule, template.SearchedSoftmax]
    usage, last = target, ''
    if target == 'torch':
        shared += [norm, template.norms_of]
    elif target == 'pytorch_metric_learning':
        imports.insert(3, 'from pytorch_metric_learning import losses')
        last = METRIC_LEARNING
    elif is_identity(table, 1):
        usage, shared = 'margin', [interpolate, template.Schedule, template.SearchedMargin]
    else:
        usage, shared = 'criterion', [*shared, template.SearchedCriterion]
    if usage != 'margin':
        imports.append('from torch.autograd.function import FunctionCtx, once_differentiable')
    header = HEADER.format(
        title=title,
        about=f'{about}\n' if about else '',
        usage=USAGE[usage],
        version=__version__,
        space=table.space,
        imports='\n'.join(imports),
    )
    parts = [source_of(part) for part in [*parts_of_space(table.space), *shared]]
    text = '\n\n\n'.join([f'{header.strip()}\n\n{constants(table)}', *parts, last])
    return rename(text).strip() + '\n'


def parts_of_space(space: SearchSpace) -> list:
    """The functions and classes that make t and tau, in the order in which they need each other.

    Raises:
        ValueError: The space is none of this package's spaces of one loss.
    """
    linear = [
        piecewise_linear.even_edges,
        piecewise_linear.inner_edges,
        piecewise_linear.PiecewiseLinear,
    ]
    if type(space) is SearchSoftmaxSpace:
        kind = search_softmax_space.SearchSoftmaxProbability
        return [*linear, kind, template.search_softmax_transforms]
    if type(space) not in (SearchSpace, MonotoneSearchSpace):
        raise ValueError(
            f'a loss of {space!r} cannot be written as a file of its own: possible are SearchSpace,'
            ' MonotoneSearchSpace and SearchSoftmaxSpace'
        )
    if space.ceiling:
        linear.append(piecewise_linear.CeiledLinear)
    if type(space) is MonotoneSearchSpace:
        return [*linear, monotone_space.climb, template.monotone_transforms]
    return [*linear, template.search_space_transforms]


def source_of(part: Callable) -> str:
    """The source text of a function or class, without the methods that make text for people."""
    text = inspect.getsource(part).rstrip()
    for method in ('formulas', '_formula'):
        if hasattr(part, method) and method in vars(part):
            text = text.replace(inspect.getsource(getattr(part, method)), '')
    return text.rstrip().replace('\n\n\n', '\n\n')


def constants(table: LossTable) -> str:
    """The losses as assignments."""
    theta = pformat([shortest(row) for row in table.theta], width=98, compact=True)
    lines = [
        f'MIN_SLOPE = {table.head["min_slope"]!r}',
        f'TAU_FLOOR = {table.head["tau_floor"]!r}',
        f'T_IS_IDENTITY = {is_identity(table, 0)}',
        f'RELATIVE_FLOOR = {written_out_loss.RELATIVE_FLOOR!r}',
        f'CONSTANT_FLOOR = {written_out_loss.CONSTANT_FLOOR!r}',
        f'SMALLEST_PROBABILITY = {written_out_loss.SMALLEST_PROBABILITY!r}',
        f'LOWEST = {search_softmax_space.LOWEST!r}',
        '# The progress of the training at which each loss of THETA holds. Between two of them the',
        '# loss is on the line. Before the first and after the last it is constant.',
        f'MIDDLES = {pformat(table.middles.tolist(), width=98, compact=True)}',
        f'THETA = {theta}',
    ]
    if type(table.space) is not SearchSoftmaxSpace:
        lines = [line for line in lines if not line.startswith('LOWEST')]
    return '\n'.join(lines)


def is_identity(table: LossTable, which: int) -> bool:
    """Whether t (which = 0) or tau (which = 1) is the identity over the whole training."""
    x = torch.linspace(-1 if which == 0 else 0, 1, 2001)
    for theta in table.theta:
        slope, bias = table.space.transforms(theta, table.head['min_slope'])[which].tangent(x)
        if not (slope == 1).all() or bias.any():
            return False
    return True


def rename(text: str) -> str:
    """The text with the names of the written file in place of those of the templates."""
    linear = 'CeiledLinear' if 'class CeiledLinear' in text else 'PiecewiseLinear'
    text = text.replace('TLinear', linear)
    for name in ('search_space', 'monotone', 'search_softmax'):
        text = text.replace(f'def {name}_transforms(', 'def transforms(')
    return text.replace(': Transform', ': PiecewiseLinear')
