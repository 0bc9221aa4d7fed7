"""Pictures of a re-identification model: ranked galleries and the CMC curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import mmcv
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from .figures import COLOURS, CORRECT, WRONG


class Ranking(NamedTuple):
    """A query and its nearest gallery images (K), nearest first.

    Attributes:
        query: Path of the query's image file.
        camera: Camera of the query, from 0.
        average_precision: Of the query's whole ranking, in [0, 1].
        gallery: Paths of the K gallery images.
        cameras: Their K cameras, from 0.
        distances: Their K distances to the query.
        correct: For each of the K, whether it shows the query's identity.
    """

    query: str
    camera: int
    average_precision: float
    gallery: list[str]
    cameras: list[int]
    distances: list[float]
    correct: list[bool]


def draw_rankings(rankings: Sequence[Ranking]) -> plt.Figure:
    """Draw one row per query: the query, then its gallery images in green or red frames.

    A green frame is the query's identity, a red one is another. The camera and the distance stand
    above each gallery image; the average precision stands above the query.

    Raises:
        ValueError: There is no query.
        FileNotFoundError: An image file no longer exists.
    """
    if not rankings:
        raise ValueError('there is no query to draw a ranking of')
    columns = 1 + max(len(ranking.gallery) for ranking in rankings)
    figure, axes = plt.subplots(
        len(rankings),
        columns,
        figsize=(1.1 * columns, 2.5 * len(rankings)),
        squeeze=False,
        layout='constrained',
    )
    for ax in axes.flat:
        ax.axis('off')
    for row, ranking in zip(axes, rankings, strict=True):
        show_image(row[0], ranking.query)
        precision = 100 * ranking.average_precision
        row[0].set_title(f'query, c{ranking.camera + 1}\nAP {precision:.0f} %', fontsize=8)
        for k, path in enumerate(ranking.gallery):
            ax = row[1 + k]
            show_image(ax, path, CORRECT if ranking.correct[k] else WRONG)
            ax.set_title(f'c{ranking.cameras[k] + 1}\n{ranking.distances[k]:.3f}', fontsize=8)
    return figure


def show_image(ax: Axes, path: str, frame: str | None = None) -> None:
    """Draw an image file, in a frame of the given colour if there is one."""
    ax.axis('on')
    ax.set_xticks([])
    ax.set_yticks([])
    ax.imshow(mmcv.imread(path, channel_order='rgb'), aspect='auto')
    for spine in ax.spines.values():
        spine.set_visible(frame is not None)
        spine.set_color(frame)
        spine.set_linewidth(3)


def plot_cmc(curves: dict[str, Tensor]) -> plt.Figure:
    """Draw cumulative matching characteristics.

    Args:
        curves: Under the label to show, (K,): for the ranks 1 to K the share of queries, in
            percent, that have a correct image up to this rank.
    """
    figure, ax = plt.subplots(figsize=(6.4, 4.2), layout='constrained')
    for i, (label, curve) in enumerate(curves.items()):
        ranks = range(1, len(curve) + 1)
        ax.plot(ranks, curve, color=COLOURS[i % len(COLOURS)], marker='.', label=label)
    ax.set_xlabel('rank')
    ax.set_ylabel('queries matched, %')
    ax.set_title('Cumulative matching characteristics')
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, loc='lower right')
    return figure
