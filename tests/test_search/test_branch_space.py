"""The product of a search space with itself."""

import pytest
import torch

from amlfs_mm.search import BranchSearchSpace, GaussianPolicy, SearchSpace


@pytest.fixture
def space() -> BranchSearchSpace:
    return BranchSearchSpace(SearchSpace(3), 4)


def test_a_theta_for_each_branch(space: BranchSearchSpace):
    assert space.dim == 4 * 12
    theta = torch.arange(48.0)
    assert space.branches(theta).tolist() == [list(range(12 * i, 12 * i + 12)) for i in range(4)]
    parts = space.split(theta)
    assert parts._fields[:5] == ('t_slope_0', 't_bias_0', 'tau_slope_0', 'tau_bias_0', 't_slope_1')
    assert torch.equal(torch.cat(list(parts)), theta)
    assert repr(space) == 'BranchSearchSpace(SearchSpace(num_intervals=3), num_branches=4)'


def test_known_losses_in_every_branch(space: BranchSearchSpace):
    for theta, one in (
        (space.identity(), SearchSpace(3).identity()),
        (space.known_loss('am_softmax', m=0.3), SearchSpace(3).known_loss('am_softmax', m=0.3)),
    ):
        assert torch.equal(space.branches(theta), one.expand(4, 12))


def test_the_curve_to_draw_is_the_branches_mean(space: BranchSearchSpace):
    theta = space.identity() + torch.randn(48, generator=torch.Generator().manual_seed(0))
    mean = space.branches(theta).mean(0)
    for ours, expected in zip(
        space.transforms(theta), SearchSpace(3).transforms(mean), strict=True
    ):
        assert torch.equal(ours.slope, expected.slope)
        assert torch.equal(ours.bias, expected.bias)


def test_the_policy_searches_it(space: BranchSearchSpace):
    policy = GaussianPolicy(space.identity())
    target = space.identity() + 0.5
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        theta = policy.sample(8, generator)
        policy.update(theta, -(theta - target).square().sum(1))
    assert (policy.mean - target).norm() < (space.identity() - target).norm()


def test_wrong_length(space: BranchSearchSpace):
    for method in (space.branches, space.split, space.transforms):
        with pytest.raises(ValueError, match=r'shape \(12,\).*needs \(48,\)'):
            method(torch.zeros(12))
    with pytest.raises(ValueError, match='num_branches must be >= 1, got 0'):
        BranchSearchSpace(SearchSpace(3), 0)
