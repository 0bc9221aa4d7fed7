"""Ranking pictures show what is scored: order, frames, cameras, best and worst."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.reid_data import write_image
from matplotlib.colors import to_rgba

from amlfs_mm.evaluation.reid.features import Features
from amlfs_mm.visualization import reid_plots


@pytest.fixture
def people(tmp_path: Path) -> tuple[torch.Tensor, Features, Features]:
    """Two queries of identities 1 and 2; a gallery of seven."""
    ids, cameras = [1, 2, 1, 1, -1, 2, 0], [1, 1, 0, 2, 3, 1, 4]
    paths = [tmp_path / f'{i}.png' for i in range(9)]
    for i, path in enumerate(paths):
        write_image(path, 20 * i)
    paths = [str(path) for path in paths]
    query = Features(torch.zeros(2, 3), torch.tensor([1, 2]), torch.tensor([0, 0]), paths[:2])
    gallery = Features(torch.zeros(7, 3), torch.tensor(ids), torch.tensor(cameras), paths[2:])
    distance = torch.tensor(
        [[0.3, 0.1, 0.2, 0.9, 0.0, 0.5, 0.4], [0.1, 0.2, 0.3, 0.4, 0.0, 0.5, 0.6]]
    )
    return distance, query, gallery


def test_order(people: tuple):
    """Junk (4) is left out, and the first query's own camera (2)."""
    assert reid_plots.rank_gallery(*people, 0) == [1, 0, 6, 5, 3]
    assert reid_plots.rank_gallery(*people, 1) == [0, 1, 2, 3, 5, 6]


def test_frames_cameras_and_images(people: tuple):
    distance, query, gallery = people
    figure = reid_plots.draw_rankings(distance, query, gallery, [0, 1], top=4)
    axes = np.array(figure.axes).reshape(2, 5)
    frames = [[ax.spines['top'].get_edgecolor() for ax in row[1:]] for row in axes]
    right, wrong = to_rgba(reid_plots.RIGHT), to_rgba(reid_plots.WRONG)
    assert frames == [[wrong, right, wrong, wrong], [wrong, right, wrong, wrong]]
    assert [ax.get_title() for ax in axes[0, 1:]] == [
        'c2\n0.100',
        'c2\n0.300',
        'c5\n0.400',
        'c2\n0.500',
    ]
    shown = [ax.get_images()[0].get_array()[0, 0, 0] // 20 for ax in axes[0]]
    assert shown == [0, 3, 2, 8, 7]
    # Identity 1: positives at places 2 and 5; by torchreid's AP (1/2 + 2/5) / 2.
    assert axes[0, 0].get_title() == 'query, c1\nAP 45 %'
    assert not axes[0, 0].spines['top'].get_visible()


def test_best_and_worst(people: tuple):
    distance, query, gallery = people
    distance = distance.clone()
    distance[1, 1] = 0.0
    assert reid_plots.best_and_worst(distance, query, gallery, 5) == dict(best=[1, 0], worst=[0, 1])
    assert reid_plots.best_and_worst(distance, query, gallery, 1) == dict(best=[1], worst=[0])


def test_cmc(people: tuple):
    distance, query, gallery = people
    figure = reid_plots.plot_cmc(dict(plain=distance), query, gallery, max_rank=4)
    (line,) = figure.axes[0].get_lines()
    assert line.get_xdata().tolist() == [1, 2, 3, 4]
    assert line.get_ydata().tolist() == [0, 100, 100, 100]
    assert line.get_label().startswith('plain (mAP ')


def test_a_missing_image(people: tuple):
    distance, query, gallery = people
    Path(gallery.paths[1]).unlink()
    with pytest.raises(FileNotFoundError):
        reid_plots.draw_rankings(distance, query, gallery, [0])
