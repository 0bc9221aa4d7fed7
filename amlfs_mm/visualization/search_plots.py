"""Pictures of a search: mu by epoch (Fig. 3 of the paper), rewards, occupancy of intervals."""

from __future__ import annotations

import math
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from amlfs_mm.search import SearchSpace

from .figures import curve_style, panels, save
from .loss_plots import plot_loss

TITLES = dict(
    t_slope='slopes of $t$',
    t_bias='biases of $t$',
    tau_slope=r'slopes of $\tau$',
    tau_bias=r'biases of $\tau$',
)


class DriftBand(NamedTuple):
    """How far mu moves in searches with random rewards, after 0 ... U updates.

    Attributes:
        coordinate: (U + 1,) deviation from mu_0 that 95 % of the coordinates do not exceed.
        distance: (U + 1,) distance from mu_0 that 95 % of the searches do not exceed.
        num_searches: How many searches these numbers come from.
    """

    coordinate: Tensor
    distance: Tensor
    num_searches: int


def plot_search(records: list[dict], space: SearchSpace, directory: str | Path) -> list[Path]:
    """Write ``search_mu.png``, ``search_loss.png`` and ``search_reward.png`` into a directory.

    Args:
        records: The lines of ``loss_search.jsonl``.
        space: The space that was searched.
        directory: Where the pictures go.

    Returns:
        Their paths.
    """
    figures = dict(
        search_mu=plot_mu(records, space),
        search_loss=plot_loss(records, space),
        search_reward=plot_reward(records),
    )
    return [save(figure, Path(directory) / f'{name}.png') for name, figure in figures.items()]


def plot_mu(
    records: list[dict], space: SearchSpace, band: DriftBand | None = None, columns: int = 2
) -> plt.Figure:
    """Draw mu by epoch (Fig. 3), a panel for each block of theta, and its distance from mu_0.

    Args:
        records: The lines of ``loss_search.jsonl``.
        space: The space that was searched.
        band: What random rewards do to mu; drawn in grey around mu_0.
        columns: Panels in a row.
    """
    mu = torch.tensor([records[0]['mu_before']] + [record['mu'] for record in records])
    epochs = [records[0]['first_epoch'] - 1] + [record['epoch'] for record in records]
    rows = [space.split(row) for row in mu]
    names = rows[0]._fields
    figure, axes = panels(len(names) + 1, columns, height=3.0)
    updates = torch.tensor([0, *accumulate(any(record['advantage']) for record in records)])
    for ax, name, block in zip(axes, names, zip(*rows, strict=True), strict=False):
        values = torch.stack(block)
        if band is not None:
            half = band.coordinate[updates]
            for start in values[0].unique():
                draw_band(ax, epochs, start - half, start + half)
        for i, coordinate in enumerate(values.T):
            ax.plot(epochs, coordinate, label=f'interval {i + 1}', **curve_style(i))
        ax.set(title=TITLES.get(name, name), ylabel=r'$\mu$')
    distance = axes[-1]
    if band is not None:
        half = band.distance[updates]
        label = f'95 % of searches with random rewards ({band.num_searches})'
        draw_band(distance, epochs, torch.zeros_like(half), half, label=label)
        distance.legend(frameon=False, fontsize=8, loc='upper left')
    distance.plot(epochs, (mu - mu[0]).norm(dim=1), color='black')
    distance.set(title=r'distance $\|\mu - \mu_0\|$', ylabel=r'$\|\mu - \mu_0\|$')
    for ax in axes:
        ax.grid(alpha=0.3)
        label_epochs(ax)
    handles, labels = axes[0].get_legend_handles_labels()
    if free := figure.axes[len(axes) :]:
        free[0].legend(handles, labels, loc='center left', frameon=False)
    else:
        figure.legend(handles, labels, loc='outside lower center', frameon=False, ncols=3)
    title = r'Mean $\mu$ of the distribution of losses'
    if band is not None:
        title += '\ngrey: random rewards keep 95 % of the coordinates in here'
    figure.suptitle(title)
    return figure


def draw_band(
    ax: Axes, epochs: list[int], low: Tensor, high: Tensor, label: str | None = None
) -> None:
    """Fill the area between two curves in grey."""
    ax.fill_between(epochs, low, high, color='#DDDDDD', linewidth=0, label=label)


def plot_reward(records: list[dict], name: str = 'reward', columns: int = 2) -> plt.Figure:
    """Draw best, mean and standard deviation of the candidates' rewards by epoch, and mu's reward.

    The reward of mu is drawn only if mu itself was one of several different candidates. A control's
    reward is drawn if there is one. Rounds after which the search went back are marked.

    Args:
        records: The lines of ``loss_search.jsonl``.
        name: Name of the metric that is the reward.
        columns: 1 for a narrow figure.
    """
    figure, (ax,) = panels(1, width=9.0 if columns > 1 else 5.0, height=3.8)
    epochs = [record['epoch'] for record in records]
    mean, deviation, best = reward_statistics(records)
    spread = '± 1 standard deviation'
    ax.fill_between(
        epochs, mean - deviation, mean + deviation, color='#CCDDEE', linewidth=0, label=spread
    )
    ax.plot(epochs, mean, label='mean of the candidates', **curve_style(0))
    ax.plot(epochs, best, label='best candidate', **curve_style(1))
    if any('control' in record for record in records):
        control = [record.get('control', {}).get('reward') for record in records]
        ax.plot(
            epochs,
            [math.nan if value is None else value for value in control],
            label='control, without a search',
            **curve_style(3),
        )
    mark_going_back(ax, records)
    own = [reward_of_mu(record) for record in records]
    if any(value is not None for value in own):
        ax.plot(
            epochs,
            [math.nan if value is None else value for value in own],
            label=r'$\mu$ itself',
            marker='.',
            **curve_style(2),
        )
    ax.set(ylabel=f'{name} on $D_v$', title='Rewards of the candidates')
    ax.grid(alpha=0.3)
    label_epochs(ax)
    ax.legend(frameon=False)
    return figure


def reward_statistics(records: list[dict]) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, population deviation and best of the finite rewards of each of K rounds, (K,) each.

    NaN where all candidates diverged.
    """
    reward = pad_sequence(  # a warm-up epoch has one candidate
        [
            torch.tensor([math.nan if r is None else r for r in record['reward']])
            for record in records
        ],
        batch_first=True,
        padding_value=math.nan,
    )
    mean = reward.nanmean(1)
    deviation = (reward - mean[:, None]).square().nanmean(1).sqrt()
    best = reward.nan_to_num(nan=-math.inf).amax(1)
    best[best.isinf()] = math.nan
    return mean, deviation, best


def mark_going_back(ax: Axes, records: list[dict]) -> None:
    """Mark each round after which the search went back; a line leads to the better reward."""
    winners = {r['epoch']: r['reward'][r['best']] for r in records if r['best'] is not None}
    marks = [
        (record['epoch'], winners.get(record['epoch'], winners[back_to]), winners[back_to])
        for record in records
        if (back_to := record.get('lineage', {}).get('went_back_to')) is not None
    ]
    if not marks:
        return
    epochs, left, best = zip(*marks, strict=True)
    ax.vlines(epochs, left, best, colors='#777777', linestyles='dotted', linewidth=1)
    label = 'went back to an earlier round'
    ax.plot(epochs, left, linestyle='none', marker='^', color='#777777', label=label)


def reward_of_mu(record: dict) -> float | None:
    """The reward of mu, in a round where exactly one of several candidates was mu itself."""
    is_mu = [theta == record['mu_before'] for theta in record['theta']]
    return record['reward'][is_mu.index(True)] if sum(is_mu) == 1 < len(is_mu) else None


def plot_occupancy(records: list[dict], columns: int = 2) -> plt.Figure:
    """Draw by epoch the share of the winner's training samples in each interval of t and of tau.

    Args:
        records: The lines of ``loss_search.jsonl``.
        columns: Panels in a row.
    """
    figure, axes = panels(2, columns, height=3.6)
    # A round may have several epochs: its cells are as wide as these.
    times = [records[0]['first_epoch'] - 0.5] + [record['epoch'] + 0.5 for record in records]
    for ax, key, lower, name in (
        (axes[0], 't_interval', -1, r'$t$: cosine $\cos\theta_y$'),
        (axes[1], 'tau_interval', 0, r'$\tau$: probability $p_y$'),
    ):
        share = 100 * torch.tensor([record['interval_share'][key] for record in records]).T
        count = len(share)
        # Dark means much, on a screen and in grey print.
        image = ax.pcolormesh(times, range(count + 1), share, cmap='Blues', vmin=0, vmax=100)
        edges = torch.linspace(lower, 1, count + 1).tolist()
        ax.set_yticks(range(count + 1), [f'{edge:.2f}'.replace('-0.00', '0.00') for edge in edges])
        ax.set(ylabel=f'intervals of {name}')
        label_epochs(ax)
        for i, mean in enumerate(share.mean(1).tolist()):
            colour = 'white' if share[i, -1] > 60 else 'black'
            text = f'{mean:.0f} %' if mean >= 0.5 else '< 1 %'
            ax.text(times[-1] - 0.2, i + 0.5, text, ha='right', va='center', color=colour)
    figure.colorbar(image, ax=axes, label="winner's training samples, %", shrink=0.8)
    figure.suptitle('Occupancy of the intervals\n(numbers: mean over the rounds)')
    return figure


def label_epochs(ax: Axes) -> None:
    """Name the x axis, with whole numbers on it."""
    ax.set_xlabel('epoch')
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
