"""The loss network against its formula, sample by sample."""

import math

import numpy as np
import pytest
import torch

from amlfs_mm.models.losses import l2t_dlf_loss


def naive(logits: np.ndarray, y: int, w: np.ndarray, b: np.ndarray) -> float:
    p = np.exp(logits) / np.exp(logits).sum()
    one_hot = np.eye(len(p))[y]
    return -1 / (1 + math.exp(-(one_hot @ w @ np.log(p) + b[y])))


def test_equals_the_formula():
    random = np.random.default_rng(0)
    logits, target = random.normal(size=(9, 4)), random.integers(4, size=9)
    w, b = random.normal(size=(4, 4)), random.normal(size=4)
    phi = torch.from_numpy(np.c_[w, b])
    found = l2t_dlf_loss(torch.from_numpy(logits), torch.from_numpy(target), phi)
    wanted = [naive(row, y, w, b) for row, y in zip(logits, target, strict=True)]
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-12)


def test_at_the_identity_it_is_a_function_of_the_targets_probability():
    logits, target = torch.randn(9, 4).double(), torch.arange(9) % 4
    p = logits.softmax(1)[range(9), target]
    found = l2t_dlf_loss(logits, target, torch.eye(4, 5))
    torch.testing.assert_close(found, -p / (1 + p))


@pytest.mark.parametrize('size', [1e4, -1e4])
def test_finite_where_a_probability_is_0(size: float):
    logits = torch.tensor([[size, 0.0, 0.0]], requires_grad=True)
    phi = torch.randn(3, 4, requires_grad=True)
    l2t_dlf_loss(logits, torch.tensor([0]), phi).sum().backward()
    assert torch.isfinite(logits.grad).all()
    assert torch.isfinite(phi.grad).all()
