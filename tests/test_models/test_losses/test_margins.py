"""The exact margins against their papers' formulas in float64, and at the ends of [-1, 1]."""

import math

import numpy as np
import pytest
import torch
from mmpretrain.models.heads import ArcFaceClsHead

from amlfs_mm.models import AMSoftmaxMargin, ArcFaceMargin, ASoftmaxMargin
from amlfs_mm.search import known_losses

COSINES = np.linspace(-1, 1, 401)


def value_and_slope(margin, cosines=COSINES) -> tuple[np.ndarray, np.ndarray]:
    x = torch.as_tensor(cosines, dtype=torch.float64)
    slope, bias = margin.tangent(x)
    return (slope * x + bias).numpy(), slope.numpy()


def derivative(function, x: np.ndarray, h: float = 1e-6) -> np.ndarray:
    return (function(x + h) - function(x - h)) / (2 * h)


def arcface(x: np.ndarray, m: float) -> np.ndarray:
    """As published: cos(theta + m) as long as theta + m < pi, else cos(theta) - m sin(m)."""
    angle = np.arccos(x)
    return np.where(angle + m < math.pi, np.cos(angle + m), x - m * math.sin(m))


def psi(x: np.ndarray, m: int) -> np.ndarray:
    """(-1)^k cos(m theta) - 2 k for theta in [k pi / m, (k + 1) pi / m]."""
    angle = np.arccos(x)
    k = np.minimum(np.floor(m * angle / math.pi), m - 1)
    return (-1) ** k * np.cos(m * angle) - 2 * k


def test_am_softmax():
    value, slope = value_and_slope(AMSoftmaxMargin(0.35))
    np.testing.assert_allclose(value, COSINES - 0.35)
    assert (slope == 1).all()


@pytest.mark.parametrize('m', [0.0, 0.3, 0.5])
def test_arcface(m: float):
    value, slope = value_and_slope(ArcFaceMargin(m))
    np.testing.assert_allclose(value, arcface(COSINES, m), atol=1e-12)
    edge = math.cos(math.pi - m)  # the function jumps there
    inner = COSINES[(np.abs(COSINES) < 0.999) & (np.abs(COSINES - edge) > 1e-3)]
    value, slope = value_and_slope(ArcFaceMargin(m), inner)
    np.testing.assert_allclose(slope, derivative(lambda x: arcface(x, m), inner), rtol=1e-6)


@pytest.mark.parametrize('m', [1, 2, 3, 4, 5])
def test_a_softmax_without_annealing_is_psi(m: int):
    margin = ASoftmaxMargin(m, start=0.0, least=0.0)
    value, _ = value_and_slope(margin)
    np.testing.assert_allclose(value, psi(COSINES, m), atol=1e-12)
    x = torch.as_tensor(COSINES)
    np.testing.assert_allclose(value, known_losses.psi(x, m).numpy(), atol=1e-12)
    inner = np.linspace(-0.99, 0.99, 57)
    _, slope = value_and_slope(margin, inner)
    np.testing.assert_allclose(slope, derivative(lambda x: psi(x, m), inner), rtol=1e-5, atol=1e-5)
    # Eq. 15's positive gradient, also where arccos has none.
    assert (slope > -1e-9).all()
    assert value_and_slope(margin, np.array([-1.0, 1.0]))[1] == pytest.approx([m * m, m * m])


def test_a_softmax_is_annealed_by_batch():
    """lambda = max(5, 1000 / (1 + 0.12 i)) in the i-th batch, from 1; evaluation does not count."""
    margin, x = ASoftmaxMargin(), torch.tensor([0.3], dtype=torch.float64)
    for i in range(1, 4):
        annealing = 1000 / (1 + 0.12 * i)
        slope, bias = margin.tangent(x)
        expected = (annealing * 0.3 + psi(np.array(0.3), 4)) / (1 + annealing)
        assert (slope * x + bias).item() == pytest.approx(float(expected), rel=1e-9)
        assert margin.annealing.item() == pytest.approx(annealing)
    margin.eval()
    margin.tangent(x)
    assert margin.iteration.item() == 3
    resumed = ASoftmaxMargin()
    resumed.load_state_dict(margin.state_dict())
    assert resumed.iteration.item() == 3
    resumed.iteration.fill_(10_000)
    assert resumed.annealing.item() == 5


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('margin', [ArcFaceMargin(0.5), ASoftmaxMargin(4)])
def test_finite_at_the_ends_and_beyond_by_rounding(margin, dtype: torch.dtype):
    ends = torch.tensor([-1 - 1e-6, -1.0, 1.0, 1 + 1e-6], dtype=dtype)
    slope, bias = margin.tangent(ends)
    assert torch.isfinite(slope).all()
    assert torch.isfinite(bias).all()
    assert (slope > 0).all()
    assert slope.max() < 100


def test_arcface_equals_mmpretrains_but_for_its_nan_at_1():
    """The peer's logits and gradients in float64; at a cosine of 1 only ours are numbers."""
    peer = ArcFaceClsHead(3, 2, scale=64.0, margins=0.5).double()
    peer.norm_product.weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-0.6, -0.8]]).double()
    angles = torch.tensor([0.0, 0.3, 1.0, 2.0, 2.7, 3.1], dtype=torch.float64)
    x = torch.stack([angles.cos(), angles.sin()], dim=1).requires_grad_()
    theirs = peer((x,), torch.zeros(6, dtype=torch.int64))[:, 0]
    (their_gradient,) = torch.autograd.grad(theirs.sum(), x)
    cosine = torch.nn.functional.normalize(x)[:, 0]
    slope, bias = ArcFaceMargin(0.5).tangent(cosine.detach())
    ours = 64 * (slope * cosine + bias)
    (gradient,) = torch.autograd.grad(ours.sum(), x)
    torch.testing.assert_close(ours, theirs)
    assert torch.isnan(their_gradient[0]).all()
    assert torch.isfinite(gradient).all()
    torch.testing.assert_close(gradient[1:], their_gradient[1:])


@pytest.mark.parametrize(
    ('make', 'says'),
    [
        (lambda: ArcFaceMargin(2.0), 'm=2.0'),
        (lambda: ASoftmaxMargin(2.5), 'm=2.5'),
        (lambda: ASoftmaxMargin(0), 'm=0'),
        (lambda: ASoftmaxMargin(4, least=-1), 'least=-1'),
    ],
)
def test_wrong_options(make, says: str):
    with pytest.raises(ValueError, match=says):
        make()
