"""Choices by D_v: of epochs, of the losses of a grid, of settings. NaN never wins one."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from mmengine.config import Config

from amlfs_mm.analysis.benchmark.grid_choice import choose_losses
from amlfs_mm.analysis.benchmark.tuning import Setting, best_setting, score_setting
from amlfs_mm.analysis.runs.run import Run, first_best

METRIC = 'reid/mAP'
NAN = math.nan


def run(*values: float) -> Run:
    """A run with this metric on D_v after each epoch. It is NaN where the model has diverged."""
    validation = {epoch: {METRIC: value} for epoch, value in enumerate(values, start=1)}
    return Run(Path('run'), Config(dict(randomness=dict(seed=0))), validation=validation)


@pytest.mark.parametrize(
    ('values', 'epoch'),
    [([1.0, 3.0, 3.0], 2), ([NAN, -2.0, -0.5], 3), ([5.0, NAN], 1), ([NAN, NAN], 1)],
)
def test_the_first_best_epoch(values: list[float], epoch: int):
    assert first_best(dict(enumerate(values, start=1))) == epoch


def test_a_diverged_training_of_a_grid_is_not_chosen():
    """It comes first: plain softmax always does."""
    runs = [run(NAN, NAN), run(10.0, 12.0), run(14.0, 11.0)]
    chosen = choose_losses(runs, ['softmax', 'robust', 'focal'], METRIC)['chosen']
    assert (chosen['last']['loss'], chosen['last']['epoch']) == ('robust', 2)
    assert (chosen['best']['loss'], chosen['best']['epoch']) == ('focal', 1)


def test_a_grid_that_diverged_as_a_whole_chooses_nothing():
    with pytest.raises(ValueError, match='reid/mAP is NaN on D_v in all trainings of the grid'):
        choose_losses([run(NAN), run(NAN)], ['softmax', 'robust'], METRIC)


def test_a_diverged_setting_is_not_chosen():
    settings = [Setting(0.1, 0.0), Setting(0.01, 0.0)]
    scores = [
        score_setting(settings[0], [run(20.0, NAN), run(20.0, 21.0)], METRIC),
        score_setting(settings[1], [run(10.0, 12.0), run(13.0, 11.0)], METRIC),
    ]
    assert best_setting(scores, 'last') == settings[1]
    assert best_setting(scores, 'best') == settings[0]
    assert scores[0].best.mean == 20.5
