"""Rows of one length against F.normalize, whose range is smaller."""

import pytest
import torch
import torch.nn.functional as F

from amlfs_mm.models.heads.unit_rows import norm, unit_rows


def draw(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize('eps', [1e-12, 2.0])
@pytest.mark.parametrize('length', [1.0, 30.0])
def test_values_and_gradients(eps: float, length: float):
    """With eps = 2 some of the rows, of lengths about 2.2, are shorter and some longer than it."""
    x, upstream = draw(50, 5), draw(50, 5).flip(0)
    gradients = []
    for function in (unit_rows, lambda x, eps, length: length * F.normalize(x, eps=eps)):
        leaf = x.clone().requires_grad_()
        rows = function(leaf, eps, length)
        gradients.append((rows.detach(), *torch.autograd.grad((upstream * rows).sum(), leaf)))
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize('size', [1e-30, 1e-18, 1.0, 1e18, 1e37])
def test_rows_of_any_length(size: float):
    x = (size * draw(20, 8)).float().requires_grad_()
    rows = unit_rows(x, 1e-38)
    torch.testing.assert_close(rows, F.normalize(draw(20, 8)).float())
    (gradient,) = torch.autograd.grad(rows[:, 0].sum(), x)
    expected = draw(20, 8).requires_grad_()
    (expected,) = torch.autograd.grad(F.normalize(expected)[:, 0].sum(), expected)
    torch.testing.assert_close(gradient.double() * size, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(norm(x).double(), size * draw(20, 8).norm(dim=1), rtol=1e-5, atol=0)


def test_a_row_of_zeros():
    x = torch.zeros(2, 3, requires_grad=True)
    rows = unit_rows(x, 1e-6, 30.0)
    assert torch.equal(rows, torch.zeros(2, 3))
    rows.sum().backward()
    assert torch.isfinite(x.grad).all()
    assert torch.autograd.grad(norm(x).sum(), x)[0].eq(0).all()
