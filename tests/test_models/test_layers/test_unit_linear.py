"""Logits of unit rows against F.normalize and F.linear; of features F.normalize's range is less."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from amlfs_mm.models.layers.unit_linear import norm, unit_linear


def draw(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(shape[0]), dtype=dtype)


def readable(features: Tensor, weight: Tensor, scale: float | None, eps: float) -> Tensor:
    if scale is not None:
        features = scale * F.normalize(features, eps=eps)
    return F.linear(features, F.normalize(weight))


@pytest.mark.parametrize('eps', [1e-12, 2.0])
@pytest.mark.parametrize('scale', [None, 1.0, 30.0])
def test_values_and_gradients(eps: float, scale: float | None):
    """With eps = 2 some features, of lengths about 2.2, are shorter and some longer than it."""
    features, weight, upstream = draw(50, 5), draw(7, 5), draw(51, 7)[1:]
    weight[3] *= 1e-13  # shorter than F.normalize makes long
    results = []
    for function in (unit_linear, readable):
        leaves = [features.clone().requires_grad_(), weight.clone().requires_grad_()]
        logits = function(*leaves, scale, eps)
        gradients = torch.autograd.grad((upstream * logits).sum(), leaves)
        results.append((logits.detach(), *gradients))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize('trained', [0, 1])
def test_either_side_may_be_frozen(trained: int):
    leaves = [draw(6, 5), draw(3, 5)]
    leaves[trained].requires_grad_()
    gradients = [
        torch.autograd.grad(function(*leaves, 30.0, 1e-6).square().sum(), leaves[trained])[0]
        for function in (unit_linear, readable)
    ]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize('size', [1e-30, 1e-18, 1.0, 1e18, 1e37])
def test_features_of_any_length(size: float):
    weight = draw(3, 8)
    x = (size * draw(20, 8)).float().requires_grad_()
    logits = unit_linear(x, weight.float(), 1.0, 1e-38)
    torch.testing.assert_close(logits, readable(draw(20, 8), weight, 1.0, 1e-38).float())
    (gradient,) = torch.autograd.grad(logits.sum(), x)
    expected = draw(20, 8).requires_grad_()
    (expected,) = torch.autograd.grad(readable(expected, weight, 1.0, 1e-38).sum(), expected)
    torch.testing.assert_close(gradient.double() * size, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(norm(x).double(), size * draw(20, 8).norm(dim=1), rtol=1e-5, atol=0)


def test_features_of_zeros():
    x = torch.zeros(2, 3, requires_grad=True)
    logits = unit_linear(x, torch.eye(3), 30.0, 1e-6)
    assert torch.equal(logits, torch.zeros(2, 3))
    logits.sum().backward()
    assert torch.isfinite(x.grad).all()
    assert torch.autograd.grad(norm(x).sum(), x)[0].eq(0).all()


def test_inputs_are_left_as_they_were():
    """The backward pass works in place, on tensors of its own."""
    features, weight = draw(6, 5).requires_grad_(), draw(3, 5).requires_grad_()
    upstream = draw(6, 3)
    before = [x.detach().clone() for x in (features, weight, upstream)]
    logits = unit_linear(features, weight, None, 1e-6)
    logits.backward(upstream, retain_graph=True)
    first = [features.grad.clone(), weight.grad.clone()]
    features.grad = weight.grad = None
    logits.backward(upstream)
    assert torch.equal(features.grad, first[0])
    assert torch.equal(weight.grad, first[1])
    for x, old in zip((features, weight, upstream), before, strict=True):
        assert torch.equal(x.detach(), old)
