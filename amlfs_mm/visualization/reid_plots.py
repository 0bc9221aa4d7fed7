"""Pictures of a re-identification model: ranked galleries and the CMC curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib
import mmcv
import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from torch import Tensor

from amlfs_mm.evaluation import cumulative_match, score_queries
from amlfs_mm.evaluation.reid.ranking import JUNK

from .figures import COLOURS

if TYPE_CHECKING:
    from amlfs_mm.evaluation.reid.features import Features

RIGHT, WRONG = '#009E73', '#D55E00'  # green, red: told apart by colour-blind readers


def rank_gallery(distance: Tensor, query: Features, gallery: Features, index: int) -> list[int]:
    """The gallery's images from the nearest on, as query ``index`` is scored on them.

    Images of its identity from its own camera, and junk, are left out.
    """
    own = (gallery.ids == query.ids[index]) & (gallery.cameras == query.cameras[index])
    order = distance[index].argsort(stable=True)
    return order[~(own | (gallery.ids == JUNK))[order]].tolist()


def draw_rankings(
    distance: Tensor,
    query: Features,
    gallery: Features,
    indices: list[int],
    top: int = 10,
) -> plt.Figure:
    """A row a query: the query, then its nearest gallery images with green or red frames.

    Above a gallery image stand its camera and its distance, above the query its average precision.

    Args:
        distance: (Q, G).
        query: The queries; ``paths`` are those of image files.
        gallery: The gallery.
        indices: Which queries.
        top: How many gallery images.

    Raises:
        FileNotFoundError: An image file is not there any more.
    """
    scores = score_queries(distance, query.ids, gallery.ids, query.cameras, gallery.cameras)
    top = min(top, len(gallery.paths))
    figure, axes = plt.subplots(
        len(indices),
        top + 1,
        figsize=(1.1 * (top + 1), 2.5 * len(indices)),
        squeeze=False,
        layout='constrained',
    )
    for ax in axes.flat:
        ax.axis('off')
    for row, index in zip(axes, indices, strict=True):
        precision = 100 * scores.average_precision[index].item()
        show(row[0], query.paths[index])
        row[0].set_title(f'query, c{query.cameras[index] + 1}\nAP {precision:.0f} %', fontsize=8)
        ranked = rank_gallery(distance, query, gallery, index)[:top]
        for ax, j in zip(row[1:], ranked, strict=False):
            right = bool(gallery.ids[j] == query.ids[index])
            show(ax, gallery.paths[j], RIGHT if right else WRONG)
            ax.set_title(f'c{gallery.cameras[j] + 1}\n{distance[index, j].item():.3f}', fontsize=8)
    return figure


def show(ax: Axes, path: str, frame: str | None = None) -> None:
    """An image, with a frame of that colour."""
    ax.axis('on')
    ax.set_xticks([])
    ax.set_yticks([])
    ax.imshow(mmcv.imread(path, channel_order='rgb'), aspect='auto')
    for spine in ax.spines.values():
        spine.set_visible(frame is not None)
        spine.set_color(frame)
        spine.set_linewidth(3)


def plot_cmc(distances: dict[str, Tensor], query: Features, gallery: Features, max_rank: int = 20):
    """CMC curves, one a distance matrix (Q, G), under its name with its mAP."""
    figure, ax = plt.subplots(figsize=(6.4, 4.2), layout='constrained')
    ranks = np.arange(1, max_rank + 1)
    for i, (name, distance) in enumerate(distances.items()):
        scores = score_queries(distance, query.ids, gallery.ids, query.cameras, gallery.cameras)
        mean = 100 * torch.nanmean(scores.average_precision).item()
        curve = cumulative_match(scores, max_rank)
        label = f'{name} (mAP {mean:.1f} %, rank-1 {curve[0]:.1f} %)'
        ax.plot(ranks, curve, color=COLOURS[i % len(COLOURS)], marker='.', label=label)
    ax.set_xlabel('rank')
    ax.set_ylabel('queries matched, %')
    ax.set_title('Cumulative matching characteristics')
    ax.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, loc='lower right')
    return figure


def best_and_worst(
    distance: Tensor, query: Features, gallery: Features, count: int
) -> dict[str, list[int]]:
    """The ``count`` queries of highest and of lowest average precision, each best or worst first.

    Queries without a positive are in neither.
    """
    scores = score_queries(distance, query.ids, gallery.ids, query.cameras, gallery.cameras)
    valid = (scores.first_hit >= 0).nonzero().squeeze(1)
    order = valid[scores.average_precision[valid].argsort(stable=True)].tolist()
    return dict(best=order[::-1][:count], worst=order[:count])
