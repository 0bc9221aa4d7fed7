"""Pictures of a search show the records: curves, jumps, ranges, occupancy."""

from pathlib import Path

import pytest
import torch
from matplotlib import pyplot as plt
from PIL import Image

from amlfs_mm.search import (
    BranchSearchSpace,
    MonotoneSearchSpace,
    SearchSoftmaxSpace,
    SearchSpace,
)
from amlfs_mm.visualization import plot_search
from amlfs_mm.visualization.loss_plots import plot_known_losses, plot_loss, plot_population
from amlfs_mm.visualization.search_plots import DriftBand, plot_mu, plot_occupancy, plot_reward


def records(space: SearchSpace, lost: bool = False) -> list[dict]:
    theta = torch.stack([space.known_loss('am_softmax', m=0.1 * i) for i in range(3)])
    common = dict(
        mu_before=space.identity().tolist(),
        mu=theta[1].tolist(),
        theta=theta.tolist(),
        advantage=[0.0] * 3,
    )
    survived = dict(common, reward=[80.0, None, 90.0], best=2)
    second = dict(common, reward=[None] * 3, best=None) if lost else survived
    warmup = dict(survived, theta=theta[:1].tolist(), reward=[70.0], best=0, mu=common['mu_before'])
    rounds = [(warmup, 1, 1), (survived, 2, 4), (second, 5, 7)]
    return [dict(record, first_epoch=first, epoch=last) for record, first, last in rounds]


def test_pictures_are_written(tmp_path: Path):
    branches = BranchSearchSpace(SearchSpace(2), 8)
    for space, lost in ((SearchSpace(4), False), (SearchSpace(4), True), (branches, False)):
        for path in plot_search(records(space, lost), space, tmp_path):
            assert Image.open(path).size > (600, 400)


def test_mu_curves_are_the_records():
    space = SearchSpace(6)
    figure = plot_mu(records(space), space)
    biases_of_t = figure.axes[1].lines
    assert [line.get_ydata()[-1] for line in biases_of_t] == [torch.tensor(-0.1).item()] * 6
    assert [line.get_ydata()[0] for line in figure.axes[0].lines] == [1.0] * 6
    assert all(list(line.get_xdata()) == [0, 1, 4, 7] for line in biases_of_t)
    plt.close(figure)


def test_the_band_widens_with_each_update():
    space = SearchSpace(2)
    # The warm-up does not update mu, the next round does.
    rounds = records(space)[:2]
    rounds[0]['advantage'], rounds[1]['advantage'] = [0.0], [1.0, 0.0, -1.0]
    band = DriftBand(torch.tensor([0.0, 0.3]), torch.tensor([0.0, 0.5]), num_searches=7)
    figure = plot_mu(rounds, space, band)
    biases_of_t, distance = figure.axes[1], figure.axes[4]
    for ax, low, high in ((biases_of_t, -0.3, 0.3), (distance, 0.0, 0.5)):
        (grey,) = [c.get_paths()[0].vertices for c in ax.collections]
        at_end, before = grey[grey[:, 0] == 4][:, 1], grey[grey[:, 0] == 1][:, 1]
        assert (at_end.min(), at_end.max()) == pytest.approx((low, high))
        assert set(before) == {0.0}
    assert '(7)' in distance.get_legend().get_texts()[0].get_text()
    plt.close(figure)


def test_rounds_after_which_the_search_went_back_are_marked():
    """From the reward of the round up to that of the better one; of a lost round there is none."""
    rounds = records(SearchSpace(2), lost=True)
    rounds[0]['reward'] = [95.0]
    for record, back_to in zip(rounds, (None, 1, 1), strict=True):
        record['lineage'] = dict(started_from=0, went_back_to=back_to)
    figure = plot_reward(rounds)
    (ax,) = figure.axes
    (marks,) = [line for line in ax.lines if 'went back' in line.get_label()]
    assert marks.get_xydata().tolist() == [[4, 90], [7, 95]]
    lines = ax.collections[-1].get_segments()
    assert [line.tolist() for line in lines] == [[[4, 90], [4, 95]], [[7, 95], [7, 95]]]
    plt.close(figure)
    without = plot_reward(records(SearchSpace(2)))
    assert not [line for line in without.axes[0].lines if 'went back' in line.get_label()]
    plt.close(without)


def test_occupancy_cells_are_as_wide_as_their_rounds():
    rounds = records(SearchSpace(2))
    for i, record in enumerate(rounds):
        record['interval_share'] = dict(t_interval=[0.1 * i, 1 - 0.1 * i], tau_interval=[0.5, 0.5])
    figure = plot_occupancy(rounds)
    (mesh,) = figure.axes[0].collections
    assert mesh.get_coordinates()[0, :, 0].tolist() == [0.5, 1.5, 4.5, 7.5]
    torch.testing.assert_close(
        torch.tensor(mesh.get_array().data), torch.tensor([[0.0, 10, 20], [100, 90, 80]])
    )
    plt.close(figure)


def test_the_loss_is_drawn_with_its_jumps():
    space = SearchSpace(6)
    figure = plot_loss(records(space), space)
    # 6 intervals each of the mean and the winner, and the identity.
    assert [len(ax.lines) for ax in figure.axes] == [13, 13]
    plt.close(figure)


@pytest.mark.parametrize('space', [MonotoneSearchSpace(3), SearchSoftmaxSpace()])
def test_the_envelope_of_any_space_holds_the_winner(space):
    generator = torch.Generator().manual_seed(0)
    theta = space.identity() + 0.2 * torch.randn(5, space.dim, generator=generator)
    record = dict(epoch=2, mu_before=space.identity().tolist(), theta=theta.tolist(), best=3)
    figure = plot_population(record, space)
    for ax, transform in zip(figure.axes, space.transforms(theta[3]), strict=True):
        envelope = ax.collections[0].get_paths()[0].get_extents()
        x, y = ax.lines[transform.num_intervals].get_data()  # after those of mu
        torch.testing.assert_close(torch.as_tensor(y), transform(torch.as_tensor(x)))
        assert envelope.ymin - 1e-6 <= y.min() <= y.max() <= envelope.ymax + 1e-6
    plt.close(figure)


@pytest.mark.parametrize(('searched', 'curves'), [('both', [4, 2]), ('t', [4, 0]), ('tau', [0, 2])])
def test_known_losses_of_the_part_that_is_searched(searched: str, curves: list[int]):
    """The other part is the identity for every loss of the space."""
    figure = plot_known_losses(SearchSpace(6, searched=searched))
    fitted = [
        sum('(exact)' in label or '(max. error' in label for label in labels)
        for labels in ([line.get_label() for line in ax.lines] for ax in figure.axes[:2])
    ]
    assert fitted == curves
    plt.close(figure)


def test_a_loss_with_a_ceiling_is_drawn_below_the_identity():
    """Of theta in both spaces, only the one without a ceiling rises above it."""
    highest = {}
    for ceiling in (False, True):
        space = SearchSpace(4, ceiling=ceiling)
        theta = space.identity()
        theta[4:8] = 0.5  # the biases of t
        rounds = records(SearchSpace(4))
        for record in rounds:
            record |= dict(mu=theta.tolist(), theta=[theta.tolist()] * len(record['theta']))
        figure = plot_loss(rounds, space)
        lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 2]
        highest[ceiling] = max(max(line.get_ydata() - line.get_xdata()) for line in lines)
        plt.close(figure)
    assert highest[False] == pytest.approx(0.5)
    assert highest[True] <= 1e-6
