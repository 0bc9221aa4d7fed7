"""Several searches' schedules as one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from test_loss_schedule import content

from amlfs_mm.engine.history.loss_schedule import LossSchedule
from amlfs_mm.engine.history.merged_schedule import mean_over_searches, merge, smooth
from amlfs_mm.search.head_options import head_options


def schedule(thetas: list, rewards: list | None = None, **about) -> LossSchedule:
    made = content(thetas) | about
    for entry, reward in zip(made['epochs'], rewards or [], strict=False):
        entry['reward'] = reward
    return LossSchedule('schedule.json', made)


def numbers(merged: dict) -> list[float]:
    return [entry['theta'][0] for entry in merged['epochs']]


def test_the_mean_of_searches_of_one_length():
    merged = merge([schedule([1.0, 2.0, 3.0]), schedule([3.0, 6.0, 0.0])])
    assert numbers(merged) == [2.0, 4.0, 1.5]
    assert merged['merged']['by'] == 'mean'
    assert [source['taken'] for source in merged['merged']['sources']] == [True, True]


def test_a_shorter_search_is_stretched_and_a_lost_epoch_is_filled():
    merged = merge([schedule([0.0, 4.0]), schedule([1.0, None, 3.0, 3.0])])
    middles = np.array([1, 3, 5, 7]) / 8
    stretched = np.interp(middles, [0.25, 0.75], [0, 4])
    filled = np.array([1, 2, 3, 3])
    np.testing.assert_allclose(numbers(merged), (stretched + filled) / 2, rtol=1e-6)


@pytest.mark.parametrize('window', [1, 3, 5, 99])
def test_smooth_is_a_moving_mean(window: int):
    values = np.random.default_rng(0).normal(size=(7, 2))
    expected = [
        values[[j for j in range(7) if abs(i - j) <= window // 2]].mean(0) for i in range(7)
    ]
    np.testing.assert_allclose(smooth(torch.tensor(values), window), expected, rtol=1e-12)


@pytest.mark.parametrize('window', [0, 2, -1])
def test_a_window_has_a_middle(window: int):
    with pytest.raises(ValueError, match=f'must be 1, 3, 5, ..., got {window}'):
        smooth(torch.zeros(3, 1), window)


def test_the_mean_of_one_search_is_itself():
    theta = torch.randn(4, 3)
    assert torch.equal(mean_over_searches([theta]), theta.double())


def test_the_best_is_that_of_the_reward_of_the_model_on_held_out_data():
    """Not that of a better round that the model does not come from."""
    searches = [
        schedule([1.0, 1.0], [90.0, 70.0]),
        schedule([2.0, 2.0], [60.0, 80.0]),
        schedule([3.0, 3.0], [60.0, 75.0]),
    ]
    merged = merge(searches, by='best')
    assert numbers(merged) == [2.0, 2.0]
    assert [source['taken'] for source in merged['merged']['sources']] == [False, True, False]
    with pytest.raises(ValueError, match='has no reward of a winner'):
        merge([schedule([1.0])], by='best')


def test_a_merged_file_is_a_schedule(tmp_path: Path):
    path = tmp_path / 'merged.json'
    path.write_text(json.dumps(merge([schedule([0.1, 0.2]), schedule([0.3, 0.4])])))
    merged = LossSchedule.read(path)
    assert merged.is_merged
    assert torch.equal(merged.stretched(2), torch.tensor([[0.2], [0.3]]))


def test_searches_that_do_not_fit():
    with pytest.raises(
        ValueError, match=r'cannot be merged with .*: its search_space is T, the .*S'
    ):
        merge([schedule([0.0]), schedule([0.0], search_space='T')])
    other = schedule([0.0], config="model = dict(head=dict(tau_floor='constant'))")
    with pytest.raises(ValueError, match=r'its head is .*constant'):
        merge([schedule([0.0]), other])
    with pytest.raises(ValueError, match="by must be 'mean' or 'best', got 'worst'"):
        merge([schedule([0.0])], by='worst')


def test_the_heads_options_come_from_the_config_which_is_not_run():
    default = dict(min_slope=0.01, tau_floor='relative')
    assert head_options({}) == default
    assert head_options(dict(config='raise SystemExit(1)')) == default
    text = "model = dict(head=dict(type='AMLFSHead', min_slope=0.1, tau_floor='constant'))"
    assert head_options(dict(config=text)) == dict(min_slope=0.1, tau_floor='constant')
    assert head_options(dict(head=dict(min_slope=0.2))) == default | dict(min_slope=0.2)


def test_rewards_of_two_kinds_are_not_compared():
    accuracy = schedule([1.0], [30.0], reward='accuracy/top1')
    log_probability = schedule([2.0], [-0.1], reward='log_probability/mean')
    assert numbers(merge([accuracy, log_probability])) == [1.5]
    with pytest.raises(ValueError, match=r"'accuracy/top1' and 'log_probability/mean'"):
        merge([accuracy, log_probability], by='best')
