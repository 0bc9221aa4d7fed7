"""CMA-ES behind the policy's interface: the cmaes package's own loop as the oracle."""

import builtins
import io
import math

import numpy as np
import pytest
import torch
from cmaes import CMA

from amlfs_mm.search import CMAESPolicy

START = [1.0, 0.0, -1.0]


def reward_of(theta: torch.Tensor) -> torch.Tensor:
    return -(theta.double() - 0.5).square().sum(1)


def run(policy: CMAESPolicy, rounds: range, ruin: bool = False) -> list[torch.Tensor]:
    means = []
    for number in rounds:
        theta = policy.sample(6, torch.Generator().manual_seed(number))
        reward = reward_of(theta)
        if ruin:
            reward[number % 6] = math.nan
        policy.update(theta, reward)
        means.append(policy.mean)
    return means


def test_it_is_the_packages_loop():
    policy, oracle = CMAESPolicy(START, sigma=0.3), CMA(np.array(START), 0.3, population_size=6)
    for number in range(5):
        theta = policy.sample(6, torch.Generator().manual_seed(number))
        told = [(row, -r) for row, r in zip(theta.double().numpy(), reward_of(theta), strict=True)]
        policy.update(theta, reward_of(theta))
        oracle.tell([(row, float(value)) for row, value in told])
        np.testing.assert_allclose(policy.mean.numpy(), oracle.mean, rtol=1e-6)
        assert policy.sigma == pytest.approx(oracle._sigma)


def test_it_finds_the_optimum():
    policy = CMAESPolicy(START)
    run(policy, range(60))
    assert (policy.mean - 0.5).abs().max() < 0.05
    assert policy.sigma < 0.2


def test_resumed_from_a_file_it_goes_on_alike():
    whole, first = CMAESPolicy(START), CMAESPolicy(START)
    expected = run(whole, range(8))
    run(first, range(4))
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second = CMAESPolicy(START)
    second.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(second.mean, expected[3])
    for one, other in zip(run(second, range(4, 8)), expected[4:], strict=True):
        assert torch.equal(one, other)


def test_diverged_candidates_and_ties():
    policy = CMAESPolicy(START)
    assert all(torch.isfinite(mean).all() for mean in run(policy, range(10), ruin=True))
    before = policy.mean
    theta = policy.sample(6, torch.Generator().manual_seed(0))
    assert not policy.update(theta, torch.full((6,), 3.0)).any()
    assert not policy.update(theta, torch.full((6,), math.nan)).any()
    assert torch.equal(policy.mean, before)


def test_refused(monkeypatch):
    with pytest.raises(ValueError, match='num_candidates must be >= 4, got 3'):
        CMAESPolicy(START).sample(3)
    policy = CMAESPolicy(START)
    policy.sample(4)
    with pytest.raises(ValueError, match='began with 4 candidates, got 5'):
        policy.sample(5)
    with pytest.raises(ValueError, match='sigma is a first step size, > 0'):
        CMAESPolicy(START, sigma=0.0)
    with pytest.raises(ValueError, match='has dimension 3, this one 2'):
        CMAESPolicy([0.0, 0.0]).load_state_dict(policy.state_dict())
    real = builtins.__import__

    def without_cmaes(name, *args, **kwargs):
        if name == 'cmaes':
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', without_cmaes)
    with pytest.raises(ImportError, match=r"pip install 'amlfs_mm\[search\]'"):
        CMAESPolicy(START)
