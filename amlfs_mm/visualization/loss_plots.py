"""Pictures of losses: known ones and their approximation (Fig. 1), searched ones, candidates."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

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

# The settings that the losses' papers recommend.
KNOWN: dict[str, tuple[str, dict[str, Any]]] = {
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
    """Draw known losses (solid) and their approximation in the search space (dotted): Fig. 1.

    The upper panels show the transforms, the lower ones the losses in log scale. The loss of a
    margin also depends on the other logits: here their cosines are 0.

    Args:
        space: The search space that approximates.
        scale: Factor s of the cosines.
        num_classes: Number of classes C.
        columns: Panels in a row.

    Raises:
        ValueError: The scale is not positive, or there are fewer than 2 classes.
    """
    if not scale > 0 or num_classes < 2:
        raise ValueError(
            f'scale must be positive and num_classes 2 or more, got {scale:g} and {num_classes}'
        )
    figure, axes = panels(4, columns, height=3.4)
    places: dict[str, tuple[Axes, Axes, Callable[[Tensor], Tensor]]] = dict(
        t=(axes[0], axes[1 if columns == 1 else 2], partial(margin_loss, scale, num_classes)),
        tau=(axes[2 if columns == 1 else 1], axes[3], lambda tau: -tau.log()),
    )
    for place, (shape, loss, loss_of) in places.items():
        lower, name = (-1.0, '$t$') if place == 't' else (0.0, r'$\tau$')
        input_name = COSINE if place == 't' else PROBABILITY
        grid = torch.linspace(lower, 1, 2001, dtype=torch.float64)
        here = space.searched in ('both', place)
        losses = [(k, v) for k, v in KNOWN.items() if here and FAMILIES[v[0]][2] == place]
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
    """Loss in nats, ``-log softmax``, of a target with logit s t when the others' logits are 0.

    Args:
        scale: Factor s.
        num_classes: Number of classes C.
        t: The target's transformed cosine, any shape.
    """
    return F.softplus(math.log(num_classes - 1) - scale * t)


def plot_loss(records: list[dict], space: SearchSpace, columns: int = 2) -> plt.Figure:
    """Draw t and tau of the final mu and of the last winner, with the identity for comparison.

    Args:
        records: The lines of ``loss_search.jsonl``.
        space: The space that was searched.
        columns: Panels in a row.
    """
    figure, axes = panels(2, columns, height=4.0)
    last = records[-1]
    curves = [('final mean $\\mu$', last['mu'], curve_style(0))]
    if last['best'] is not None:
        theta = last['theta'][last['best']]
        curves.append(('winner of the last round', theta, curve_style(1)))
    for label, theta, style in curves:
        for ax, transform in zip(axes, space.transforms(torch.tensor(theta)), strict=True):
            draw(ax, transform, label=label, **style)
    finish(axes)
    figure.suptitle(r'The searched loss: $-\log\,\tau(p_y^t)$')
    return figure


def plot_population(record: dict, space: SearchSpace, columns: int = 2) -> plt.Figure:
    """Draw t and tau of a round's candidates: their range, the winner, and mu before the update.

    Args:
        record: A line of ``loss_search.jsonl``.
        space: The space that was searched.
        columns: Panels in a row.
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
    """Add the identity, axis labels and a legend to a panel of t and a panel of tau."""
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
    """Draw ``of(transform(x))`` over x; there is a gap where the transform jumps."""
    for i, x in enumerate(grids(transform)):
        ax.plot(x, of(transform(x)), label=label if i == 0 else None, **style)


def grids(transform: PiecewiseLinear) -> list[Tensor]:
    """Points (33,) of each interval. An inner edge belongs to the interval above it."""
    edges = transform.edges.tolist()
    values = [torch.linspace(left, right, 33) for left, right in pairwise(edges)]
    for x in values[:-1]:
        x[-1] = torch.nextafter(x[-1], x[0])
    return values
