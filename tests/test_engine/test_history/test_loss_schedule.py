"""Reading ``loss_schedule.json``, and its losses for another training."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from amlfs_mm.engine.history.loss_schedule import LossSchedule


def content(thetas: list) -> dict:
    """A schedule of a one-number loss; None is a lost epoch."""
    epochs = [
        dict(
            epoch=number,
            round=number,
            candidate=None if theta is None else 1,
            stream=None if theta is None else 1,
            theta=theta if theta is None else [theta],
            mu=[0.0],
        )
        for number, theta in enumerate(thetas, start=1)
    ]
    about = dict(seed=0, search_space='S', hand_over='all', replicas=1, threads=1)
    return dict(about, compute=dict(images_per_epoch=96), epochs=epochs)


def schedule(thetas: list) -> LossSchedule:
    return LossSchedule('schedule.json', content(thetas))


@pytest.mark.parametrize('epochs', [1, 2, 3, 5, 8, 24])
def test_stretched_is_interpolation_between_the_middles_of_epochs(epochs: int):
    rng = np.random.default_rng(0)
    values = rng.normal(size=5).astype(np.float32).tolist()
    thetas = [*values[:2], None, *values[2:], None]
    middles = [(i + 0.5) / 7 for i, theta in enumerate(thetas) if theta is not None]
    wanted = (np.arange(epochs) + 0.5) / epochs
    expected = np.interp(wanted, middles, values)  # constant beyond the ends
    np.testing.assert_allclose(schedule(thetas).stretched(epochs)[:, 0], expected, rtol=1e-6)


def test_stretched_to_its_own_length_is_itself():
    values = torch.randn(7, generator=torch.Generator().manual_seed(0))
    assert torch.equal(schedule(values.tolist()).stretched(7)[:, 0], values)


def test_one_epoch_is_constant():
    assert schedule([0.5]).stretched(3).tolist() == [[0.5]] * 3


def test_held_keeps_the_last_loss():
    assert schedule([1.0, 2.0, 3.0]).held(5)[:, 0].tolist() == [1, 2, 3, 3, 3]
    assert schedule([1.0, 2.0, 3.0]).held(2)[:, 0].tolist() == [1, 2]
    assert schedule([None, 2.0, None, 4.0]).held(5)[:, 0].tolist() == [2, 2, 2, 4, 4]


def test_no_epoch_survived():
    with pytest.raises(ValueError, match='in all of its epochs all candidates diverged'):
        schedule([None, None]).held(2)


def change(path: list, value: object) -> dict:
    changed = copy.deepcopy(content([1.0, 2.0, 3.0]))
    *parents, last = path
    place = changed
    for key in parents:
        place = place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return changed


@pytest.mark.parametrize(
    ('changed', 'reason'),
    [
        ([], "has no 'seed'"),
        (change(['epochs'], None), "has no 'epochs'"),
        (change(['epochs'], []), 'has no epochs'),
        (change(['epochs', 0], None), 'epoch 2 stands where epoch 1 should'),
        (change(['epochs', 1, 'stream'], None), "epoch 2 has no 'stream'"),
        (change(['epochs', 1, 'theta'], [float('nan')]), 'theta of epoch 2 is no list of finite'),
        (change(['epochs', 1, 'theta'], ['1']), 'theta of epoch 2 is no list of finite'),
        (change(['epochs', 1, 'theta'], 1.0), 'theta of epoch 2 is no list of finite'),
        (change(['epochs', 1, 'mu'], 'mu'), 'mu of epoch 2 is no list of finite'),
        (change(['epochs', 1], 3), 'epoch 2 is 3, not an object'),
        (change(['epochs'], 3), 'has no epochs'),
        (change(['compute'], {}), "'compute' has no 'images_per_epoch'"),
        (change(['epochs', 1, 'theta'], [1.0, 2.0]), r'different lengths, \[1, 2\]'),
        (change(['epochs', 2, 'round'], 5), 'epoch 3 skips a round'),
        (change(['epochs', 1, 'round'], 1), 'epoch 2 has another winner than its round'),
    ],
)
def test_tampered(tmp_path: Path, changed: dict, reason: str):
    path = tmp_path / 'loss_schedule.json'
    path.write_text(json.dumps(changed))
    with pytest.raises(ValueError, match=rf'{path} is no loss schedule: .*{reason}.*as it was'):
        LossSchedule.read(path)


def test_lost_and_won_at_once():
    changed = content([1.0, None])
    changed['epochs'][1]['candidate'] = 3
    with pytest.raises(ValueError, match='epoch 2 has a candidate or a theta, but not both'):
        LossSchedule('schedule.json', changed)


def test_not_json(tmp_path: Path):
    (tmp_path / 'a.json').write_text('{"seed": 0,')
    with pytest.raises(ValueError, match=r'a\.json is no loss schedule: it is not JSON'):
        LossSchedule.read(tmp_path / 'a.json')


def gone_back(leads_to_model: list[bool]) -> LossSchedule:
    """Three rounds; after the second the search went back to the first."""
    whole = content([1.0, 2.0, 3.0])
    lineages = [(0, None), (1, 1), (1, None)]
    for entry, (start, back), leads in zip(whole['epochs'], lineages, leads_to_model, strict=True):
        entry |= dict(started_from=start, went_back_to=back, leads_to_model=leads)
    return LossSchedule('schedule.json', whole)


def test_another_training_uses_the_losses_of_undone_rounds_too():
    found = gone_back([True, False, True])
    assert [found.leads_to_model(epoch) for epoch in range(3)] == [True, False, True]
    assert found.held(3)[:, 0].tolist() == [1, 2, 3]


def test_a_schedule_that_contradicts_its_own_lineage():
    with pytest.raises(ValueError, match='leads_to_model of epoch 2 contradicts the rounds'):
        gone_back([True, True, True])
