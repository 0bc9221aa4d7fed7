"""All pictures of one search, with their captions, for a tool to write or to inline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from matplotlib import pyplot as plt

from .loss_plots import plot_loss, plot_population
from .search_plots import plot_mu, plot_occupancy, plot_reward

if TYPE_CHECKING:
    from amlfs_mm.analysis import NullDrift, Run


class Picture(NamedTuple):
    """A picture yet to be drawn.

    Attributes:
        name: Of its file, without a suffix.
        caption: What it shows and how to read it.
        plot: Draws it with so many panels beside each other.
    """

    name: str
    caption: str
    plot: Callable[[int], plt.Figure]


def pictures_of_search(
    run: Run, null: NullDrift | None = None, record: dict | None = None
) -> list[Picture]:
    """The pictures that say something about this search: no mu where it never moves, and so on.

    Args:
        run: A search.
        null: Its null drift, to draw behind mu.
        record: The round whose population is drawn; the last by default.
    """
    records, space, record = run.records, run.search_space, record or run.records[-1]
    pictures = []
    if run.moves_mu:
        caption = 'Mean mu of the distribution of losses over the epochs (Fig. 3 of the paper).'
        if null is not None:
            caption += (
                f' Grey: 95 % of what {null.num_searches} searches with random rewards do; a mu '
                'inside it has not shown that it follows the rewards.'
            )
        plot = lambda columns: plot_mu(records, space, null, columns)  # noqa: E731
        pictures.append(Picture('search_mu', caption, plot))
    pictures += [
        Picture(
            'search_reward',
            "The candidates' rewards on D_v: best, mean and spread.",
            lambda columns: plot_reward(records, run.reward, columns),
        ),
        Picture(
            'search_occupancy',
            "Where the winner's training samples are: the parameters of an empty interval matter "
            'to no sample.',
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
                f"The losses of epoch {record['epoch']}'s candidates.",
                lambda columns: plot_population(record, space, columns),
            ),
        ]
    return pictures
