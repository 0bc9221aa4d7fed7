"""``SearchSpace(ceiling=True)``: t(x) = min(a x + b, x), so that useless features gain nothing."""

import json
import math

import pytest
import torch
from mmpretrain.structures import DataSample

from amlfs_mm.models import AMLFSHead
from amlfs_mm.models.losses import amlfs_loss, fused_amlfs_loss
from amlfs_mm.registry import search_space_of
from amlfs_mm.search import MonotoneSearchSpace, SearchSpace, find_loss, formulas

SPACES = [SearchSpace(6, ceiling=True), MonotoneSearchSpace(6, ceiling=True)]


def sample_theta(space: SearchSpace, seed: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return space.identity() + 0.5 * torch.randn(space.dim, generator=random)


def collapsed(space: SearchSpace, theta: torch.Tensor, norm: float, classes: int):
    """Loss and target probability where all cosines are equal, at 41 cosines from -1 to 1."""
    cosine = torch.linspace(-1, 1, 41, dtype=torch.float64)
    logits = norm * cosine[:, None].repeat(1, classes)
    target = torch.zeros(41, dtype=torch.int64)
    t, tau = space.transforms(theta.double())
    loss, _, probability = amlfs_loss(logits, target, torch.full((41,), norm).double(), t, tau)
    return loss, probability, tau


@pytest.mark.parametrize('norm', [0.0, 1.0, 30.0, 1e3])
@pytest.mark.parametrize('seed', range(20))
@pytest.mark.parametrize('space', SPACES, ids=repr)
def test_collapsed_features_gain_nothing(space, seed, norm):
    """With tau(p) = p no t brings the loss of features that tell nothing below log C."""
    theta, classes = sample_theta(space, seed), 10
    for name in ('tau_slope', 'tau_bias' if type(space) is SearchSpace else 'tau_step'):
        getattr(space.split(theta), name).fill_(1.0 if name == 'tau_slope' else 0.0)
    loss, probability, _ = collapsed(space, theta, norm, classes)
    assert loss.min() >= math.log(classes) - 1e-9
    assert probability.max() <= 1 / classes + 1e-9


@pytest.mark.parametrize('seed', range(20))
@pytest.mark.parametrize('space', SPACES, ids=repr)
def test_with_any_tau_their_probability_stays_at_most_1_in_c(space, seed):
    for norm in (1.0, 100.0):
        loss, probability, tau = collapsed(space, sample_theta(space, seed), norm, 4)
        assert probability.max() <= 0.25 + 1e-9
        value = torch.maximum(tau(probability), 0.1 * tau.tangent(probability)[0] * probability)
        torch.testing.assert_close(loss, -value.log())


def test_without_it_they_gain_much():
    """The hole that the ceiling closes: the property above can fail."""
    space = SearchSpace(6)
    theta = space.identity()
    space.split(theta).t_bias.fill_(0.2)
    loss, _, _ = collapsed(space, theta, 100.0, 10)
    assert loss.max() < 1e-6


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('scale', [None, 30.0])
def test_all_three_ways_to_train_have_the_ceiling(scale, seed):
    """Reference, written-out gradient and sharded head: values and gradients, in float64."""
    random = torch.Generator().manual_seed(seed)
    space = SPACES[0]
    theta = sample_theta(space, seed).double()
    x = torch.randn(40, 5, generator=random, dtype=torch.float64)
    weight = torch.randn(7, 5, generator=random, dtype=torch.float64)
    y = torch.randint(7, (40,), generator=random).tolist()
    options = dict(type='amlfs_mm.SearchSpace', ceiling=True)
    found = []
    for sharded in (False, True):
        head = AMLFSHead(7, 5, scale=scale, search_space=options, sharded=sharded).double()
        head.fc.weight.data.copy_(weight)
        head.set_theta(theta)
        feature = x.clone().requires_grad_()
        loss = head.loss((feature,), [DataSample().set_gt_label(k) for k in y])['loss']
        loss.backward()
        found.append((loss.detach(), feature.grad, head.fc.weight.grad))

    feature, weight = x.clone().requires_grad_(), weight.clone().requires_grad_()
    target = torch.tensor(y)
    cosine = torch.nn.functional.cosine_similarity(feature[:, None], weight[None], dim=2)
    n = scale or feature.norm(dim=1, keepdim=True) * weight.norm(dim=1)
    own_n = torch.full((40,), scale).double() if scale else n.gather(1, target[:, None]).squeeze(1)
    t, tau = space.transforms(theta)
    loss = amlfs_loss(n * cosine, target, own_n, t, tau)[0].mean()
    loss.backward()
    for other in found:
        for ours, theirs in zip(other, (loss.detach(), feature.grad, weight.grad), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-10)
    assert (t.slope * t.edges[1:] + t.bias > t.edges[1:]).any()  # it binds somewhere


def test_the_written_out_gradient_where_the_ceiling_binds():
    """One class pair: t would be x + 0.5, so it is x, and the loss is softmax's."""
    space = SPACES[0]
    theta = space.identity()
    space.split(theta).t_bias.fill_(0.5)
    logits = torch.tensor([[0.3, -0.2], [-0.9, 0.9]], dtype=torch.float64, requires_grad=True)
    target = torch.tensor([0, 0])
    loss = fused_amlfs_loss(logits, target, 1.0, *space.transforms(theta.double())).loss
    plain = torch.nn.functional.cross_entropy(logits, target, reduction='none')
    torch.testing.assert_close(loss, plain)
    torch.testing.assert_close(
        torch.autograd.grad(loss.sum(), logits)[0], torch.autograd.grad(plain.sum(), logits)[0]
    )


@pytest.mark.parametrize(
    ('name', 'params'),
    [
        ('softmax', {}),
        ('am_softmax', dict(m=0.35)),
        ('arcface', dict(m=0.5)),
        ('l_softmax', dict(m=2)),
        ('a_softmax', dict(m=4)),
        ('focal', dict(alpha=2)),
        ('robust', dict(b=0.5)),
    ],
)
def test_known_losses_stay_in_the_space(name, params):
    """Of the loss's function f, the ceiling makes no error larger wherever f(x) <= x."""
    plain, ceiled = SearchSpace(), SearchSpace(ceiling=True)
    theta = ceiled.known_loss(name, **params)
    assert torch.equal(theta, plain.known_loss(name, **params))
    x = torch.linspace(-1, 1, 201)
    one, other = plain.transforms(theta)[0](x), ceiled.transforms(theta)[0](x)
    assert (other <= x + 1e-7).all()
    torch.testing.assert_close(other, torch.minimum(one, x))
    for one, other in zip(plain.transforms(theta)[1:], ceiled.transforms(theta)[1:], strict=True):
        assert torch.equal(one(x), other(x))


def test_names_files_and_formulas(tmp_path):
    space = SearchSpace(2, ceiling=True)
    assert repr(space) == 'SearchSpace(num_intervals=2, ceiling=True)'
    assert repr(SearchSpace(2)) == 'SearchSpace(num_intervals=2)'
    assert search_space_of(repr(space)).ceiling
    path = tmp_path / 'loss.json'
    theta = [1.0, 1.0, 0.5, -0.5, 1.0, 1.0, 0.0, 0.0]
    path.write_text(json.dumps(dict(search_space=repr(space), theta=theta)))
    theta = find_loss(space, str(path))
    with pytest.raises(ValueError, match='is a loss of SearchSpace'):
        find_loss(SearchSpace(2), str(path))
    assert formulas(space, theta)['t'] == [
        'min(1 cos + 0.5, cos) for -1 <= cos < 0',
        'min(1 cos - 0.5, cos) for 0 <= cos <= 1',
    ]
    assert formulas(space, theta)['tau'][0] == '1 p + 0 for 0 <= p < 0.5'


def test_a_negative_margin_is_refused():
    """Its t is above the identity: under the ceiling it would be plain softmax, in silence."""
    for name in ('am_softmax', 'arcface'):
        SearchSpace().known_loss(name, m=-0.2)
        with pytest.raises(ValueError, match=f"has not the loss '{name}' with m=-0.2"):
            SearchSpace(ceiling=True).known_loss(name, m=-0.2)
