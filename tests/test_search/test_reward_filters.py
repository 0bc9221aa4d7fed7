"""What the policy learns from in place of the rewards."""

import math

import numpy as np
import pytest
import torch

from amlfs_mm.search import GaussianPolicy, IgnoreTies, NullReward

GENERATOR = torch.Generator()


@pytest.mark.parametrize('spread', [0.5, 1.5, 1.6, 3.0])
@pytest.mark.parametrize('lost', [False, True])
def test_ties_by_the_binomial_error(spread: float, lost: bool):
    """At 80 % of 1,000 samples the error is 1.26 points."""
    reward = np.array([80 - spread, 80 + spread, 80 - spread, 80 + spread])
    error = math.sqrt(0.8 * 0.2 / 1000) * 100
    values = [*reward, math.nan] if lost else reward
    seen = IgnoreTies()(torch.tensor(values), GENERATOR, 1000)
    if reward.std() < error:
        assert seen.tolist() == [80.0] * len(values)
    else:
        np.testing.assert_equal(seen.numpy(), values)


def test_a_tie_does_not_move_mu():
    policy = GaussianPolicy(dim=3)
    theta = policy.sample(4, torch.Generator().manual_seed(0))
    reward = torch.tensor([80.0, 80.1, 80.2, math.nan])
    for error, moves in ((0.2, False), (0.05, True)):
        seen = IgnoreTies(error)(reward, GENERATOR, 1)
        assert policy.update(theta, seen).any() == moves
        assert policy.mean.any() == moves


def test_all_lost_stays_so():
    lost = torch.full((3,), math.nan)
    assert IgnoreTies()(lost, GENERATOR, 10).isnan().all()
    assert NullReward()(lost, GENERATOR, 10).isnan().all()


def test_null_rewards_know_nothing_of_the_rewards():
    draws = [
        NullReward()(reward, torch.Generator().manual_seed(0), 100)
        for reward in (torch.tensor([1.0, 2.0]), torch.tensor([5.0, math.nan]))
    ]
    assert torch.equal(*draws)


@pytest.mark.parametrize('error', [0, -1.0, 'normal', None])
def test_refused(error: object):
    with pytest.raises(ValueError, match="error must be 'binomial' or a positive number"):
        IgnoreTies(error)
