"""All pictures of one search, with their captions, for a tool to write or to embed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from matplotlib import pyplot as plt

from amlfs_mm.visualization.loss_plots import plot_loss, plot_population
from amlfs_mm.visualization.search_plots import DriftBand, plot_mu, plot_occupancy, plot_reward

from ..runs.run import Run
from .null_drift import NullDrift


class Picture(NamedTuple):
    """A picture that is drawn on demand.

    Attributes:
        name: Name of its file, without suffix.
        caption: What it shows and how to read it.
        plot: Draws it with the given number of panels in a row.
    """

    name: str
    caption: str
    plot: Callable[[int], plt.Figure]


def pictures_of_search(
    run: Run, null: NullDrift | None = None, record: dict | None = None
) -> list[Picture]:
    """The pictures that apply to this search: none of mu if mu never moves, for example.

    Args:
        run: A search.
        null: What random rewards do to its mu; drawn behind mu.
        record: The round whose candidates are drawn; the last round by default.
    """
    records, space, record = run.records, run.search_space, record or run.records[-1]
    pictures = []
    if run.moves_mu:
        caption = 'Mean mu of the distribution of losses by epoch (Fig. 3 of the paper).'
        band = None
        if null is not None:
            band = DriftBand(null.coordinate_band(), null.distance_band(), null.num_searches)
            caption += (
                f' Grey: the range of 95 % of the values in {null.num_searches} searches with '
                'random rewards. If mu stays inside, nothing shows that it follows the rewards.'
            )
        plot = lambda columns: plot_mu(records, space, band, columns)  # noqa: E731
        pictures.append(Picture('search_mu', caption, plot))
    pictures += [
        Picture(
            'search_reward',
            "The candidates' rewards on D_v: best, mean and standard deviation. A control beside "
            'the search, and rounds after which it went back, are drawn if there are any.',
            lambda columns: plot_reward(records, run.reward, columns),
        ),
        Picture(
            'search_occupancy',
            "Share of the winner's training samples in each interval. The parameters of an empty "
            'interval have no effect.',
            lambda columns: plot_occupancy(records, columns),
        ),
    ]
    if run.samples_losses:
        pictures += [
            Picture(
                'search_loss',
                "The searched loss: t of the target's cosine and tau of its probability.",
                lambda columns: plot_loss(records, space, columns),
            ),
            Picture(
                'search_population',
                f"The candidates' losses in epoch {record['epoch']}.",
                lambda columns: plot_population(record, space, columns),
            ),
        ]
    return pictures
