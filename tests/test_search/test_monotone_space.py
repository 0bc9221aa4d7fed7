"""Every theta of the monotone space is a legal loss."""

import numpy as np
import pytest
import torch

from amlfs_mm.search import MonotoneSearchSpace, SearchSpace, known_losses

SPACE = MonotoneSearchSpace(6)


def naive(slope: list, start: float, steps: list, lower: float, x: float) -> float:
    """Walk from the left end to x, interval by interval, in float64."""
    m = len(slope)
    width, value, left = (1 - lower) / m, start, lower
    for i in range(m):
        right = lower + (i + 1) * width
        if x < right or i == m - 1:
            return value + max(slope[i], 0.01) * (x - left)
        value += max(slope[i], 0.01) * width + max(steps[i], 0.0)
        left = right
    raise AssertionError


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('num_intervals', [1, 2, 6])
def test_the_functions(num_intervals: int, seed: int):
    space = MonotoneSearchSpace(num_intervals)
    theta = space.identity() + 0.5 * torch.randn(
        space.dim, generator=torch.Generator().manual_seed(seed)
    )
    t_slope, t_step, tau_slope, tau_step = (part.double().tolist() for part in space.split(theta))
    t, tau = space.transforms(theta)
    for u in (np.arange(97) + 0.37) / 97:  # no edges
        x = 2 * u - 1
        expected = naive(t_slope, t_step[0] - 1, t_step[1:], -1, x)
        assert t(torch.tensor(x)).item() == pytest.approx(expected, abs=1e-5)
        expected = naive(tau_slope, 0.0, tau_step, 0, u)
        assert tau(torch.tensor(u)).item() == pytest.approx(expected, abs=1e-5)


def test_always_legal():
    """Far from any sensible theta, t and tau increase and tau is positive above 0."""
    theta = SPACE.identity() + 2 * torch.randn(200, 23, generator=torch.Generator().manual_seed(0))
    p = torch.linspace(0, 1, 601)
    for row in theta:
        t, tau = SPACE.transforms(row)
        assert (t(2 * p - 1).diff() > 0).all()
        assert (tau(p).diff() > 0).all()
        assert tau(p)[0] == 0


def test_softmax_is_exact():
    t, tau = SPACE.transforms(SPACE.identity())
    for transform in (t, tau):
        assert transform.slope.tolist() == [1] * 6
        assert transform.bias.tolist() == [0] * 6
    assert SPACE.dim == len(SPACE.identity()) == 23


@pytest.mark.parametrize(
    ('name', 'params', 'function', 'place'),
    [
        ('am_softmax', dict(m=0.35), known_losses.am_softmax, 0),
        ('l_softmax', dict(m=2), known_losses.psi, 0),
        ('focal', dict(alpha=2), known_losses.focal, 1),
    ],
)
def test_known_losses_at_the_edges(name: str, params: dict, function, place: int):
    transform = SPACE.transforms(SPACE.known_loss(name, **params))[place]
    edges = transform.edges.double()
    torch.testing.assert_close(
        transform(edges.float()).double(), function(edges, **params), rtol=0, atol=1e-5
    )


def test_arcface_where_it_decreases_and_after():
    """Flat at the left end; then it meets the function again."""
    t, _ = SPACE.transforms(SPACE.known_loss('arcface', m=0.5))
    assert t.slope[0].item() == pytest.approx(0.01)
    edges = t.edges.double()
    expected = known_losses.arcface(edges, 0.5)
    torch.testing.assert_close(t(edges.float()).double()[2:], expected[2:], rtol=0, atol=1e-5)


def test_robust_has_no_place_where_tau_starts_at_0():
    with pytest.raises(ValueError, match=r'robust has tau\(0\) = b: use SearchSpace'):
        SPACE.known_loss('robust', b=0.5)
    assert torch.equal(SPACE.known_loss('robust', b=0.0), SPACE.identity())


def test_other_lengths_are_refused():
    with pytest.raises(ValueError, match=r'shape \(24,\), but Monotone.* needs \(23,\)'):
        SPACE.split(SearchSpace(6).identity())
