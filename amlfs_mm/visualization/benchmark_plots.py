"""Pictures of a benchmark: gains by data set, and the metric on D_v by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from matplotlib import pyplot as plt

from .figures import COLOURS, GREY, curve_style, panels
from .search_plots import label_epochs

MARKERS = 'osD^vP*X'


class Interval(Protocol):
    """A mean and half the width of its interval; None if there is no interval."""

    @property
    def mean(self) -> float: ...

    @property
    def half(self) -> float | None: ...


def plot_gains(gains: Mapping[str, Mapping[str, Interval]], reference: str) -> plt.Figure:
    """Draw the gain over a reference with its interval: a band for each data set.

    Args:
        gains: By data set and by name of what is compared.
        reference: Its name, for the axis.

    Raises:
        ValueError: There is nothing to draw.
    """
    names = list(dict.fromkeys(name for rows in gains.values() for name in rows))
    if not names:
        raise ValueError(f'nothing shares a seed with {reference!r}')
    rows_high = sum(len(rows) + 1 for rows in gains.values())
    figure, (ax,) = panels(1, width=8.0, height=max(3.2, 0.26 * rows_high))
    y, ticks = 0.0, []
    for band, rows in enumerate(gains.values()):
        height = len(rows) + 1
        if band % 2:
            ax.axhspan(y - 1, y + height - 1, color='#F2F2F2', zorder=0)
        ticks.append(y + (height - 2) / 2)
        for offset, (name, gain) in enumerate(rows.items()):
            index = names.index(name)
            ax.errorbar(
                gain.mean,
                y + offset,
                xerr=gain.half,
                fmt=MARKERS[index % len(MARKERS)],
                color=COLOURS[index % len(COLOURS)],
                capsize=3,
            )
        y += height
    for index, name in enumerate(names):
        marker, colour = MARKERS[index % len(MARKERS)], COLOURS[index % len(COLOURS)]
        ax.plot([], [], linestyle='', label=name, marker=marker, color=colour)
    ax.axvline(0, color=GREY, linewidth=1)
    ax.set_yticks(ticks, list(gains))
    ax.set(ylim=(y - 1, -1), xlabel=f'test minus {reference}, points (mean and 95 % interval)')
    ax.grid(alpha=0.3, axis='x')
    figure.legend(loc='outside lower center', frameon=False, ncols=3)
    return figure


def plot_validation(curves: Mapping[str, Sequence[Mapping[int, float]]], metric: str) -> plt.Figure:
    """Draw a metric on D_v by epoch: the mean over seeds, and a band from the least to the largest.

    The last fifth of the longest run is marked: a converged run is flat there.

    Args:
        curves: By name, one for each seed, values by epoch.
        metric: Name of the metric.
    """
    figure, (ax,) = panels(1, width=8.0, height=4.0)
    last = max(epoch for seeds in curves.values() for values in seeds for epoch in values)
    ax.axvspan(last - last // 5 + 1, last, color='#F2F2F2', zorder=0)
    for index, (name, seeds) in enumerate(curves.items()):
        epochs = sorted(set.intersection(*(set(values) for values in seeds)))
        values = np.array([[values[epoch] for epoch in epochs] for values in seeds])
        style = curve_style(index)
        ax.fill_between(
            epochs, values.min(0), values.max(0), color=style['color'], alpha=0.15, linewidth=0
        )
        ax.plot(epochs, values.mean(0), label=name, **style)
    ax.set(ylabel=f'{metric} on $D_v$', title='Mean over seeds; grey: the last fifth of the epochs')
    ax.grid(alpha=0.3)
    label_epochs(ax)
    figure.legend(loc='outside lower center', frameon=False, ncols=3)
    return figure
