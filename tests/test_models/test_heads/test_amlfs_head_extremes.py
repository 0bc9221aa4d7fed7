"""AMLFSHead with features and probabilities at the edge of float32 and half."""

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.searched_head import (
    FLOORS,
    NAN,
    labels,
    losses_of,
    make_head,
    make_problem,
    make_theta,
    naive_batch,
)
from torch import Tensor, nn

from amlfs_mm.models import AMLFSHead

SIZES = [0.0, 1e-6, 1.0, 1e5]
HALVES = [torch.float16, torch.bfloat16]


def extreme_batch(seed: int, dtype: torch.dtype) -> tuple[Tensor, list]:
    """Features of the sizes above, half of them straight at or away from their class."""
    random = torch.Generator().manual_seed(seed)
    x = F.normalize(torch.randn(len(SIZES) * 4, 8, generator=random))
    size = torch.tensor(SIZES * 4)
    if dtype == torch.float16:
        size = size.clamp(max=6e4)  # 65504 is its largest number
    y = torch.randint(10, (len(x),), generator=random)
    return (size[:, None] * x).to(dtype), y.tolist()


@pytest.mark.parametrize('floor', FLOORS)
@pytest.mark.parametrize('scale', [None, 30.0, 64.0])
@pytest.mark.parametrize('autocast', [None, *HALVES])
@pytest.mark.parametrize('dtype', [torch.float32, *HALVES])
def test_loss_and_gradients_are_finite(dtype, autocast, scale, floor):
    for seed, spread in itertools.product(range(5), [0.01, 1.0]):
        x, y = extreme_batch(seed, dtype)
        assert torch.isfinite(x).all()
        random = torch.Generator().manual_seed(seed)
        head = make_head(
            spread * torch.randn(10, 8, generator=random),
            make_theta('0.5', seed),
            scale=scale,
            tau_floor=floor,
        )
        x.requires_grad_()
        with torch.autocast('cpu', dtype=autocast, enabled=autocast is not None):
            loss = head.loss((x,), labels(y))['loss']
        loss.backward()
        assert loss.dtype == torch.float32
        assert torch.isfinite(loss)
        assert x.grad.dtype == dtype
        assert torch.isfinite(x.grad).all()
        assert torch.isfinite(head.fc.weight.grad).all()
        if floor == 'relative':
            assert head.fc.weight.grad.abs().max() > 0


@pytest.mark.parametrize('scale', [None, 30.0])
@pytest.mark.parametrize('dtype', HALVES)
def test_half_features_give_the_loss_of_their_float32_copy(dtype, scale):
    """Only the features are rounded, whether a network under autocast or the caller rounds them."""
    x, weight, y = make_problem(10, seed=6)
    head = make_head(weight, make_theta('0.5', 6), scale=scale)
    half = x.to(dtype)
    expected = head.loss((half.float(),), labels(y))['loss']
    assert torch.equal(head.loss((half,), labels(y))['loss'], expected)
    assert head((half,)).dtype == torch.float32

    backbone = nn.Linear(16, 16, bias=False)
    nn.init.eye_(backbone.weight)
    with torch.autocast('cpu', dtype=dtype):
        feats = backbone(x)
        assert feats.dtype == dtype
        assert torch.equal(head.loss((feats,), labels(y))['loss'], expected)
        in_autocast = head.loss((x,), labels(y))['loss']
    assert torch.equal(in_autocast, head.loss((x,), labels(y))['loss'])


@pytest.mark.parametrize('size', [1e-30, 1e-6, 1e5, 1e30])
def test_a_plain_heads_cosine_does_not_depend_on_the_features_length(size):
    """The interval of t, and with it the gradient, is the direction's alone. Powers of two, so that
    scaling rounds nothing."""
    x, weight, y = make_problem(10, seed=11)
    x = x / x.norm(dim=1, keepdim=True)
    counts = []
    for factor in (1.0, 2.0 ** round(math.log2(size))):
        head = make_head(weight, make_theta('0.5', 11))
        head.loss((factor * x,), labels(y))
        counts.append(head.t_count.tolist())
    assert counts[0] == counts[1]
    assert min(counts[0]) > 0


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_a_normalised_heads_loss_does_not_depend_on_the_features_length(dtype):
    x, weight, y = make_problem(10, seed=11)
    x = (x / x.norm(dim=1, keepdim=True)).to(dtype)
    head = make_head(weight, make_theta('0.5', 11), scale=30.0)
    expected = losses_of(head, x, y)
    for power in (-18, -6, 16, 100):  # 2^-18 is 4e-6
        np.testing.assert_allclose(losses_of(head, 2.0**power * x, y), expected, rtol=1e-5)


@pytest.mark.parametrize('floor', FLOORS)
@pytest.mark.parametrize('seed', range(5))
def test_target_probabilities_down_to_exp_minus_200(seed, floor):
    """W = (e1, e2), x = (-k, 0), y = 0: logits (-k, 0), so that p = 1 / (1 + e^k). cos is -1: t's
    first interval, here the identity; tau is a sigma-0.5 sample."""
    theta = make_theta('0.5', seed)
    theta[:12] = make_theta('identity', 0)[:12]
    head = make_head(torch.eye(2), theta, tau_floor=floor)
    for k in (1.0, 10.0, 50.0, 100.0, 200.0):
        x = torch.tensor([[-k, 0.0]], requires_grad=True)
        (sample,) = naive_batch(x.detach().double().numpy(), np.eye(2), [0], theta, None, floor)
        head.zero_grad()
        loss = head.loss((x,), labels([0]))['loss']
        loss.backward()
        assert abs(loss.item() - sample.loss) <= 1e-5 * max(1, abs(sample.loss))
        for gradient in (x.grad, head.fc.weight.grad):
            assert torch.isfinite(gradient).all()
        if floor == 'relative' and sample.value < sample.least:
            # softmax's own gradient: dL/dx_0 = -(1 - p)
            assert x.grad[0, 0].item() == pytest.approx(sample.probability - 1, rel=1e-5)


def test_a_diverged_network_gives_nan_and_no_crash():
    for scale in (None, 30.0):
        head = AMLFSHead(10, 4, scale=scale)
        loss = head.loss((torch.full((3, 4), NAN),), labels([0, 1, 2]))['loss']
        assert loss.isnan()
