"""Pictures of losses: known ones and their approximation (Fig. 1), searched ones, a population."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator
from torch import Tensor

from amlfs_mm.search import PiecewiseLinear, SearchSpace
from amlfs_mm.search.known_losses import FAMILIES

from .figures import GREY, curve_style, panels

COSINE = r"target's cosine $\cos\theta_y$"
PROBABILITY = r"target's probability $p_y$"

# The losses' published settings.
KNOWN = {
    'AM-softmax, m = 0.35': ('am_softmax', dict(m=0.35)),
    'ArcFace, m = 0.5': ('arcface', dict(m=0.5)),
    'L-softmax, m = 2': ('l_softmax', dict(m=2)),
    'A-softmax, m = 4': ('a_softmax', dict(m=4)),
    r'focal, $\alpha$ = 1': ('focal', dict(alpha=1.0)),
    r'focal, $\alpha$ = 2': ('focal', dict(alpha=2.0)),
}


def plot_known_losses(
    space: SearchSpace, scale: float = 14.0, num_classes: int = 10, columns: int = 2
) -> plt.Figure:
    """Known losses (solid) and their approximation in the search space (dotted): Fig. 1.

    Above the transforms themselves, below the losses in log scale. A margin's loss depends on the
    other logits too: here C classes, the other cosines 0, logits times a scale.

    Args:
        space: That approximates.
        scale: s.
        num_classes: C.
        columns: Panels beside each other.
    """
    figure, axes = panels(4, columns, height=3.4)
    places = dict(
        t=(axes[0], axes[1 if columns == 1 else 2], partial(margin_loss, scale, num_classes)),
        tau=(axes[2 if columns == 1 else 1], axes[3], lambda tau: -tau.log()),
    )
    for place, (shape, loss, loss_of) in places.items():
        lower, name = (-1.0, '$t$') if place == 't' else (0.0, r'$\tau$')
        input_name = COSINE if place == 't' else PROBABILITY
        grid = torch.linspace(lower, 1, 2001, dtype=torch.float64)
        losses = [(k, v) for k, v in KNOWN.items() if FAMILIES[v[0]][2] == place]
        for i, (label, (family, params)) in enumerate(losses):
            colour = plt.colormaps['plasma']((0.2, 0.5, 0.7, 0.87)[i])  # distinct in grey, too
            exact = partial(FAMILIES[family][1], **params)(grid)
            fitted = space.transforms(space.known_loss(family, **params))[place == 'tau']
            error = (fitted(grid) - exact).abs().max().item()
            label += ' (exact)' if error < 5e-4 else f' (max. error {error:.3f})'
            shape.plot(grid, exact, color=colour, linewidth=2.4, label=label)
            draw(shape, fitted, color='black', linestyle=':', linewidth=1.3)
            loss.plot(grid, loss_of(exact), color=colour, linewidth=2.4)
            draw(loss, fitted, loss_of, color='black', linestyle=':', linewidth=1.3)
        shape.plot([lower, 1], [lower, 1], color=GREY, linewidth=1, label='softmax (identity)')
        loss.plot(grid, loss_of(grid), color=GREY, linewidth=1)
        shape.plot([], [], color='black', linestyle=':', label='approximation')
        shape.set(xlabel=input_name, ylabel=name, title=f'transform {name}')
        shape.legend(frameon=False, fontsize=8)
        loss.set(xlabel=input_name, ylabel='loss, nats', yscale='log', ylim=(1e-4, None))
        loss.set_title(
            f'loss with $t$: C = {num_classes}, s = {scale:g}, other cosines 0'
            if place == 't'
            else r'loss with $\tau$'
        )
        for ax in (shape, loss):
            ax.grid(alpha=0.3)
            ax.xaxis.set_major_locator(MultipleLocator(0.5 if place == 't' else 0.25))
    figure.suptitle(f'Known losses and their piecewise-linear approximation\n{space!r}')
    return figure


def margin_loss(scale: float, num_classes: int, t: Tensor) -> Tensor:
    """``-log softmax`` (nats) of the target's logit s t, where the other C - 1 logits are 0."""
    return F.softplus(math.log(num_classes - 1) - scale * t)


def plot_loss(records: list[dict], space: SearchSpace, columns: int = 2) -> plt.Figure:
    """The final mu's t and tau against the identity, with the last winner's."""
    figure, axes = panels(2, columns, height=4.0)
    last = records[-1]
    curves = [('final mean $\\mu$', last['mu'], curve_style(0))]
    if last['best'] is not None:
        theta = last['theta'][last['best']]
        curves.append(('winner of the last epoch', theta, curve_style(1)))
    for label, theta, style in curves:
        for ax, transform in zip(axes, space.transforms(torch.tensor(theta)), strict=True):
            draw(ax, transform, label=label, **style)
    finish(axes)
    figure.suptitle(r'The searched loss: $-\log\,\tau(p_y^t)$')
    return figure


def plot_population(record: dict, space: SearchSpace, columns: int = 2) -> plt.Figure:
    """All candidates' t and tau of an epoch: their envelope, the winner, and mu before it.

    Args:
        record: A line of ``loss_search.jsonl``.
        space: The space that was searched.
        columns: Panels beside each other.
    """
    figure, axes = panels(2, columns, height=4.0)
    candidates = [space.transforms(torch.tensor(theta)) for theta in record['theta']]
    for i, ax in enumerate(axes):
        transforms = [pair[i] for pair in candidates]
        for k, x in enumerate(grids(transforms[0])):
            y = torch.stack([transform(x) for transform in transforms])
            label = f'all {len(transforms)} candidates' if k == 0 else None
            ax.fill_between(x, y.amin(0), y.amax(0), color='#BBBBBB', linewidth=0, label=label)
            label = 'their middle half' if k == 0 else None
            quartiles = y.quantile(torch.tensor([0.25, 0.75], dtype=y.dtype), dim=0)
            ax.fill_between(x, *quartiles, color='#888888', linewidth=0, label=label)
        mean = space.transforms(torch.tensor(record['mu_before']))[i]
        draw(ax, mean, label=r'mean $\mu$', **curve_style(0), linewidth=2)
        if record['best'] is not None:
            draw(ax, transforms[record['best']], label='winner', **curve_style(1), linewidth=2)
    finish(axes)
    figure.suptitle(f'Losses of the candidates in epoch {record["epoch"]}')
    return figure


def finish(axes: list[Axes]) -> None:
    """The identity, names and legend of a panel of t and one of tau."""
    for ax, lower, name, quantity in (
        (axes[0], -1, 't', COSINE),
        (axes[1], 0, r'\tau', PROBABILITY),
    ):
        identity = 'identity (softmax)'
        ax.plot([lower, 1], [lower, 1], color='black', linestyle=':', linewidth=1, label=identity)
        ax.set(xlabel=quantity, ylabel=f'${name}$')
        ax.grid(alpha=0.3)
    axes[0].xaxis.set_major_locator(MultipleLocator(0.5))
    axes[0].legend(frameon=False)


def draw(
    ax: Axes,
    transform: PiecewiseLinear,
    of: Callable[[Tensor], Tensor] = lambda y: y,
    label: str | None = None,
    **style,
) -> None:
    """A transform, or a curve ``of`` it, with its jumps left open."""
    for i, x in enumerate(grids(transform)):
        ax.plot(x, of(transform(x)), label=label if i == 0 else None, **style)


def grids(transform: PiecewiseLinear) -> list[Tensor]:
    """Values on each interval, none on the upper edge: that belongs to the next interval."""
    edges = transform.edges.tolist()
    values = [torch.linspace(left, right, 33) for left, right in pairwise(edges)]
    for x in values[:-1]:
        x[-1] = torch.nextafter(x[-1], x[0])
    return values
