"""The tuned grid as a control: B static losses, of which D_v chooses one.

This is what people do with the compute of a search with B candidates: they train B models, each
with another hand-made loss, and keep the one that is best on D_v.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mmengine.config import Config
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.registry import MODELS

from amlfs_mm.models import AMLFSHead, SoftmaxHead
from amlfs_mm.models.heads.amlfs_head import plain_loss_weight
from amlfs_mm.utils.config_types import resolves_to


class StaticLoss(NamedTuple):
    """A loss of the grid: a known loss with its parameter, and the scale s of the logits.

    Attributes:
        name: Of the known loss; ``softmax`` is the baseline's config as it is.
        parameter: The value of its one parameter; None for ``softmax``.
        scale: s of normalised logits; None leaves the head's logits as they are.
    """

    name: str
    parameter: float | None = None
    scale: float | None = None

    def __str__(self) -> str:
        value = '' if self.parameter is None else f'_{PARAMETERS[self.name]}{self.parameter:g}'
        scale = '' if self.scale is None else f'_s{self.scale:g}'
        return f'{self.name}{value}{scale}'

    @property
    def options(self) -> dict[str, Any]:
        """The settings that put the loss in place of a baseline's, by dotted keys."""
        if self.parameter is None:
            return {}
        options: dict[str, Any] = {
            'model.head.type': 'amlfs_mm.AMLFSHead',
            'model.head.theta.name': self.name,
            f'model.head.theta.{PARAMETERS[self.name]}': self.parameter,
        }
        if self.scale is not None:
            options['model.head.scale'] = self.scale
        if self.name in CURVED:
            options['model.head.num_intervals'] = 60
        return options


PARAMETERS = dict(am_softmax='m', arcface='m', focal='alpha', robust='b')
CURVED = ('arcface', 'focal')
"""Losses that are no lines: with 60 intervals in place of 6 they are nearly exact."""

# A grid of B losses is the first B of one of these lists: what people try first comes first.
# Margins are of cosines. They come with normalised logits of s = 30, as they were published, in
# place of a plain head, on which they do not train (a margin counts norm(W_y) norm(x) there).
PLAIN_HEAD = [
    StaticLoss('softmax'),
    StaticLoss('robust', 0.5),
    StaticLoss('am_softmax', 0.35, scale=30),
    StaticLoss('focal', 2),
    StaticLoss('robust', 0.1),
    StaticLoss('robust', 1),
    StaticLoss('arcface', 0.5, scale=30),
    StaticLoss('focal', 0.5),
    # Up to here B = 8.
    StaticLoss('robust', 0.2),
    StaticLoss('robust', 2),
    StaticLoss('am_softmax', 0.1, scale=30),
    StaticLoss('am_softmax', 0.2, scale=30),
    StaticLoss('focal', 1),
    StaticLoss('focal', 5),
    StaticLoss('robust', 0.05),
    StaticLoss('arcface', 0.3, scale=30),
]
# A head with normalised logits keeps its own s.
NORMALISED_HEAD = [
    StaticLoss('softmax'),
    StaticLoss('am_softmax', 0.35),
    StaticLoss('arcface', 0.5),
    StaticLoss('robust', 0.5),
    StaticLoss('am_softmax', 0.2),
    StaticLoss('am_softmax', 0.5),
    StaticLoss('arcface', 0.3),
    StaticLoss('focal', 2),
    # Up to here B = 8.
    StaticLoss('am_softmax', 0.1),
    StaticLoss('am_softmax', 0.7),
    StaticLoss('am_softmax', 1),
    StaticLoss('arcface', 0.1),
    StaticLoss('arcface', 0.7),
    StaticLoss('robust', 0.1),
    StaticLoss('robust', 1),
    StaticLoss('focal', 0.5),
]


def grid_of(config: Config, size: int) -> list[StaticLoss]:
    """The losses of a grid for a baseline.

    Args:
        config: Of the baseline: plain softmax, with or without normalised logits.
        size: B, how many losses.

    Raises:
        ValueError: The baseline has another head, loss or search space, or the lists have fewer
            losses.
    """
    head = config.get('model', {}).get('head') or {}
    kind = head.get('type')
    known = kind is not None and (
        resolves_to(kind, MODELS, LinearClsHead, exactly=True)
        or resolves_to(kind, MODELS, SoftmaxHead)
        or resolves_to(kind, MODELS, AMLFSHead)
    )
    searched = head.get('theta') or isinstance(head.get('loss'), str)
    if not known or head.get('margin') or searched:
        raise ValueError(
            f'a grid of losses starts from plain softmax in a LinearClsHead, SoftmaxHead or '
            f'AMLFSHead, but {config.filename} has model.head={dict(head)}'
        )
    if 'search_space' in head:
        raise ValueError(
            f'a grid of losses sets the intervals of each loss itself: leave model.head.'
            f'search_space out of {config.filename}, it is {head["search_space"]}'
        )
    if isinstance(head.get('loss'), dict):
        plain_loss_weight(head['loss'], 'a grid of losses')
    losses = PLAIN_HEAD if head.get('scale') in (None, 'feature') else NORMALISED_HEAD
    if not 1 <= size <= len(losses):
        raise ValueError(f'a grid has 1 to {len(losses)} losses, got {size}')
    return losses[:size]
