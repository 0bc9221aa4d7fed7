"""Each class of the search provides what its interface in protocols.py asks of a plug-in."""

import inspect

import pytest
import torch

from amlfs_mm.models import AMSoftmaxMargin, ArcFaceMargin, ASoftmaxMargin
from amlfs_mm.registry import search_space_of
from amlfs_mm.search import (
    BranchSearchSpace,
    CMAESPolicy,
    GaussianPolicy,
    IgnoreTies,
    MonotoneSearchSpace,
    NullReward,
    SearchSoftmaxSpace,
    SearchSpace,
    protocols,
)

SPACES = [
    SearchSpace(3),
    SearchSpace(ceiling=True),
    MonotoneSearchSpace(4),
    MonotoneSearchSpace(4, ceiling=True),
    SearchSoftmaxSpace(),
    BranchSearchSpace(SearchSpace(2), 3),
]


def missing(protocol: type, plug_in: object) -> list[str]:
    """Parameters of the interface's methods that the plug-in's methods lack."""
    names = {
        name
        for kind in protocol.__mro__
        for name, member in vars(kind).items()
        if inspect.isfunction(member) and (not name.startswith('_') or name == '__call__')
    }
    return [
        f'{name}({parameter})'
        for name in names
        for parameter in inspect.signature(getattr(protocol, name)).parameters
        if parameter not in ('self', 'params')
        if parameter not in inspect.signature(getattr(type(plug_in), name)).parameters
    ]


@pytest.mark.parametrize('space', SPACES, ids=repr)
def test_search_spaces(space):
    assert isinstance(space, protocols.SearchSpace)
    assert not missing(protocols.SearchSpace, space)
    identity = space.identity()
    assert identity.shape == (space.dim,)
    assert torch.equal(torch.cat(list(space.split(identity))), identity)
    assert all(isinstance(name, str) for name in space.split(identity)._fields)
    assert torch.equal(space.known_loss('softmax'), identity)
    assert repr(search_space_of(repr(space))) == repr(space)
    with pytest.raises(ValueError, match='needs'):
        space.split(torch.zeros(space.dim + 1))
    with pytest.raises(ValueError, match='softmax'):
        space.known_loss('no such loss')


@pytest.mark.parametrize('space', SPACES, ids=repr)
@pytest.mark.parametrize('seed', [0, 1])
def test_transforms(space, seed):
    random = torch.Generator().manual_seed(seed)
    theta = space.identity() + 0.5 * seed * torch.randn(space.dim, generator=random)
    for transform, lower in zip(space.transforms(theta), (-1, 0), strict=True):
        assert isinstance(transform, protocols.Transform)
        assert not missing(protocols.Transform, transform)
        assert transform.edges.shape == (transform.num_intervals + 1,)
        assert transform.edges[[0, -1]].tolist() == [lower, 1]
        x = lower + (1 - lower) * torch.rand(4, 25, generator=random)
        interval = transform.locate(x)
        assert interval.dtype == torch.int64
        assert ((interval >= 0) & (interval < transform.num_intervals)).all()
        slope, bias = transform.tangent(x, interval)
        assert slope.shape == bias.shape == x.shape
        torch.testing.assert_close(slope * x + bias, transform(x))
        assert (slope > 0).all()
        assert len(transform.formulas('x')) == transform.num_intervals
        if seed == 0:
            torch.testing.assert_close(transform(x), x)


@pytest.mark.parametrize('margin', [AMSoftmaxMargin(), ArcFaceMargin(), ASoftmaxMargin()])
def test_margins_have_a_tangent(margin):
    assert isinstance(margin, protocols.Tangent)
    slope, bias = margin.tangent(torch.linspace(-1, 1, 7))
    assert slope.shape == bias.shape == (7,)


@pytest.mark.parametrize('kind', [GaussianPolicy, CMAESPolicy])
def test_policies(kind):
    if kind is CMAESPolicy:
        pytest.importorskip('cmaes')
    policy, other = kind(mean=torch.zeros(5)), kind(mean=torch.ones(5))
    assert isinstance(policy, protocols.Policy)
    assert not missing(protocols.Policy, policy)
    random = torch.Generator().manual_seed(0)
    theta = policy.sample(4, random)
    assert theta.shape == (4, 5)
    advantage = policy.update(theta, torch.tensor([1.0, 2.0, float('nan'), 4.0]))
    assert advantage.shape == (4,)
    assert advantage.dtype == torch.float64
    assert policy.mean.abs().max() > 0
    assert policy.sigma > 0
    other.load_state_dict(policy.state_dict())
    assert torch.equal(other.mean, policy.mean)


@pytest.mark.parametrize('reward_filter', [NullReward(), IgnoreTies()])
def test_reward_filters(reward_filter):
    assert isinstance(reward_filter, protocols.RewardFilter)
    assert not missing(protocols.RewardFilter, reward_filter)
    reward = reward_filter(torch.tensor([50.0, 60.0]), torch.Generator().manual_seed(0), 100)
    assert reward.shape == (2,)


def test_a_class_that_lacks_a_method_is_no_search_space():
    """A theta alone is not one, nor is a policy."""
    assert not isinstance(torch.zeros(4), protocols.SearchSpace)
    assert not isinstance(GaussianPolicy(mean=4), protocols.SearchSpace)
