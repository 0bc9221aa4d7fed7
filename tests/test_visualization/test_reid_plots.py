"""Ranking pictures show what is scored: order, frames, cameras, best and worst."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.reid_data import write_image
from matplotlib.colors import to_rgba

from amlfs_mm.visualization.figures import CORRECT, WRONG
from amlfs_mm.visualization.reid_plots import Ranking, draw_rankings, plot_cmc


@pytest.fixture
def rankings(tmp_path: Path) -> list[Ranking]:
    """Two queries, with four and three gallery images; image i is of grey level 20 i."""
    paths = [str(tmp_path / f'{i}.png') for i in range(9)]
    for i, path in enumerate(paths):
        write_image(Path(path), 20 * i)
    first = [paths[i] for i in (3, 2, 8, 7)]
    return [
        Ranking(paths[0], 0, 0.45, first, [1, 1, 4, 1], [0.1, 0.3, 0.4, 0.5], [False, True] * 2),
        Ranking(paths[1], 2, 1.0, paths[4:7], [0, 2, 3], [0.0, 0.25, 2.0], [True, False, False]),
    ]


def test_frames_cameras_and_images(rankings: list[Ranking]):
    figure = draw_rankings(rankings)
    axes = np.array(figure.axes).reshape(2, 5)
    frames = [[ax.spines['top'].get_edgecolor() for ax in row[1:]] for row in axes]
    correct, wrong = to_rgba(CORRECT), to_rgba(WRONG)
    assert frames[0] == [wrong, correct, wrong, correct]
    assert frames[1][:3] == [correct, wrong, wrong]
    assert [ax.get_title() for ax in axes[0]] == [
        'query, c1\nAP 45 %',
        'c2\n0.100',
        'c2\n0.300',
        'c5\n0.400',
        'c2\n0.500',
    ]
    shown = [[ax.get_images()[0].get_array()[0, 0, 0] // 20 for ax in row[:4]] for row in axes]
    assert shown == [[0, 3, 2, 8], [1, 4, 5, 6]]
    assert not axes[0, 0].spines['top'].get_visible()
    assert not axes[1, 4].axison  # the second query has three images only


def test_cmc():
    figure = plot_cmc({'plain (mAP 40.0 %)': torch.tensor([0.0, 100, 100, 100])})
    (line,) = figure.axes[0].get_lines()
    assert list(line.get_xdata()) == [1, 2, 3, 4]
    assert list(line.get_ydata()) == [0, 100, 100, 100]
    assert line.get_label() == 'plain (mAP 40.0 %)'


def test_refused(rankings: list[Ranking]):
    with pytest.raises(ValueError, match='no query to draw'):
        draw_rankings([])
    Path(rankings[0].gallery[1]).unlink()
    with pytest.raises(FileNotFoundError):
        draw_rankings(rankings)
