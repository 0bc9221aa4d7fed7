"""Search-Softmax: p_m = p / (a p + 1 - a)."""

import pytest
import torch

from amlfs_mm.models import AMLFSHead
from amlfs_mm.search import GaussianPolicy, SearchSoftmaxSpace, formulas

SPACE = SearchSoftmaxSpace()


@pytest.mark.parametrize('a', [0.0, -0.3, -4.0, -9.0])
def test_loss_and_gradient_through_the_head(a: float):
    torch.manual_seed(0)
    head = AMLFSHead(
        10,
        8,
        scale=5.0,
        search_space=dict(type='amlfs_mm.SearchSoftmaxSpace'),
        theta=dict(name='search_softmax', a=a),
    ).double()
    x = torch.randn(64, 8, dtype=torch.float64)
    target = torch.randint(10, (64,))
    logits, features = head(x), x
    free = logits.detach().requires_grad_()
    (ours,) = torch.autograd.grad(head.per_sample_loss(free, features, target).sum(), free)
    p = free.softmax(1).gather(1, target[:, None])
    naive = -(p / (a * p + 1 - a)).log()
    (expected,) = torch.autograd.grad(naive.sum(), free)
    torch.testing.assert_close(ours, expected)
    torch.testing.assert_close(head.per_sample_loss(free, features, target), naive[:, 0])
    assert head.tau_count.tolist() == [128]


def test_the_tangent():
    _, tau = SPACE.transforms(torch.tensor([-2.0], dtype=torch.float64))
    x = torch.linspace(0, 1, 51, dtype=torch.float64, requires_grad=True)
    (derivative,) = torch.autograd.grad(tau(x).sum(), x)
    slope, bias = tau.tangent(x)
    torch.testing.assert_close(slope, derivative)
    torch.testing.assert_close(slope * x + bias, tau(x))


def test_what_is_outside_counts_as_the_nearest():
    x = torch.linspace(0, 1, 5)
    for raw, inside in ((0.7, 0.0), (-20.0, -9.0)):
        one, other = (SPACE.transforms(torch.tensor([a]))[1](x) for a in (raw, inside))
        assert torch.equal(one, other)
    assert torch.equal(SPACE.transforms(SPACE.identity())[1](x), x)


def test_mu_leaves_0():
    """Where the published code stands still: rewards ask for a = -1."""
    policy = GaussianPolicy(SPACE.identity())
    generator = torch.Generator().manual_seed(0)
    for _ in range(60):
        theta = policy.sample(8, generator)
        policy.update(theta, -(theta[:, 0].clamp(max=0) + 1).square())
    assert policy.mean.item() == pytest.approx(-1, abs=0.3)


def test_formula_and_names():
    lines = formulas(SPACE, torch.tensor([-2.0]))
    assert lines['tau'] == ['p / (-2 p + 3) for 0 <= p <= 1']
    for name, params in (('am_softmax', dict(m=0.3)), ('search_softmax', dict(a=1.0))):
        with pytest.raises(ValueError, match=r"has 'softmax' and dict\(name='search_softmax'"):
            SPACE.known_loss(name, **params)
    with pytest.raises(ValueError, match=r'needs \(1,\)'):
        SPACE.split(torch.zeros(2))
