"""Pictures of a search: mu over the epochs (the paper's Fig. 3) and the searched loss."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import matplotlib
import torch

matplotlib.use('Agg')
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, MultipleLocator
from torch.nn.utils.rnn import pad_sequence

from amlfs_mm.files import replace_when_whole
from amlfs_mm.search import PiecewiseLinear, SearchSpace

# Okabe and Ito's colours: told apart by colour-blind readers and in greyscale prints.
COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000', '#999999']

TITLES = dict(
    t_slope='slopes of t',
    t_bias='biases of t',
    tau_slope=r'slopes of $\tau$',
    tau_bias=r'biases of $\tau$',
)


def plot_search(records: list[dict], space: SearchSpace, directory: str | Path) -> list[Path]:
    """Draw ``search_mu.png``, ``search_loss.png`` and ``search_reward.png`` into a directory.

    Args:
        records: The lines of ``loss_search.jsonl``.
        space: The space that was searched.
        directory: Where the pictures go.

    Returns:
        Their paths.
    """
    directory = Path(directory)
    figures = dict(
        search_mu=plot_mu(records, space),
        search_loss=plot_loss(records, space),
        search_reward=plot_reward(records),
    )
    paths = []
    for name, figure in figures.items():
        paths.append(directory / f'{name}.png')
        with replace_when_whole(paths[-1]) as temporary:
            figure.savefig(temporary, dpi=120, format='png')
        plt.close(figure)
    return paths


def plot_mu(records: list[dict], space: SearchSpace) -> plt.Figure:
    """mu over the epochs, a panel for each block that ``space.split`` names (Fig. 3)."""
    mu = torch.tensor([records[0]['mu_before']] + [record['mu'] for record in records])
    epochs = [records[0]['first_epoch'] - 1] + [record['epoch'] for record in records]
    rows = [space.split(row) for row in mu]
    names = rows[0]._fields
    grid = (-(-len(names) // 2), 2)
    figure, axes = plt.subplots(
        *grid, figsize=(10, 0.5 + 3 * grid[0]), sharex=True, squeeze=False, layout='constrained'
    )
    for ax in axes.flat[len(names) :]:
        ax.axis('off')
    for ax, name, block in zip(axes.flat, names, zip(*rows, strict=True), strict=False):
        for i, values in enumerate(torch.stack(block).T):
            ax.plot(epochs, values, color=COLOURS[i % len(COLOURS)], label=f'interval {i + 1}')
        ax.set_title(TITLES.get(name, name))
        ax.grid(alpha=0.3)
    for ax in axes[-1]:
        ax.set_xlabel('epoch')
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    for ax in axes[:, 0]:
        ax.set_ylabel(r'$\mu$')
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside right center', frameon=False)
    figure.suptitle(r'Mean $\mu$ of the distribution of losses')
    return figure


def plot_loss(records: list[dict], space: SearchSpace) -> plt.Figure:
    """The final mu's t and tau against the identity, with the last winner's."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.6), layout='constrained')
    last = records[-1]
    curves = [('final mean $\\mu$', last['mu'], COLOURS[0], '-')]
    if last['best'] is not None:
        curves.append(('winner of the last epoch', last['theta'][last['best']], COLOURS[1], '--'))
    for label, theta, colour, style in curves:
        for ax, transform in zip(axes, space.transforms(torch.tensor(theta)), strict=True):
            _draw(ax, transform, color=colour, linestyle=style, label=label)
    for ax, lower, name, quantity in (
        (axes[0], -1, 't', r"target's cosine $\cos\theta_y$"),
        (axes[1], 0, r'\tau', r"target's probability $p_y$"),
    ):
        ax.plot([lower, 1], [lower, 1], color='#999999', linestyle=':', label='identity (softmax)')
        ax.set_xlabel(quantity)
        ax.set_ylabel(f'${name}$')
        ax.grid(alpha=0.3)
    axes[0].xaxis.set_major_locator(MultipleLocator(0.5))
    axes[0].legend(frameon=False)
    figure.suptitle(r'The searched loss: $-\log\,\tau(p_y^t)$')
    return figure


def plot_reward(records: list[dict]) -> plt.Figure:
    """Best, mean and spread of the candidates' rewards over the epochs."""
    figure, ax = plt.subplots(figsize=(7, 4.2), layout='constrained')
    reward = pad_sequence(  # a warm-up epoch has one candidate
        [
            torch.tensor([float('nan') if r is None else r for r in record['reward']])
            for record in records
        ],
        batch_first=True,
        padding_value=float('nan'),
    )
    epochs = [record['epoch'] for record in records]
    mean = reward.nanmean(1)
    deviation = (reward - mean[:, None]).square().nanmean(1).sqrt()
    best = reward.nan_to_num(nan=-float('inf')).amax(1)
    ax.plot(epochs, best, color=COLOURS[1], label='best candidate')
    ax.plot(epochs, mean, color=COLOURS[0], label='mean of the candidates')
    ax.fill_between(
        epochs, mean - deviation, mean + deviation, color=COLOURS[0], alpha=0.2, label='± 1 std'
    )
    ax.set_xlabel('epoch')
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_ylabel('reward on $D_v$')
    ax.set_title('Rewards of the candidates')
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
    return figure


def _draw(ax: Axes, transform: PiecewiseLinear, label: str, **style) -> None:
    """A function on its intervals, with its jumps left open."""
    edges = transform.edges
    for i, (left, right) in enumerate(pairwise(edges)):
        x = torch.linspace(left, right, 33)
        if i + 1 < transform.num_intervals:
            x[-1] = torch.nextafter(right, left)  # the edge belongs to the upper interval
        ax.plot(x, transform(x), label=label if i == 0 else None, **style)
