"""SearchSpace: theta's layout, the clamp of slopes, and hand-made losses as points."""

import ast
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import amlfs_mm
from amlfs_mm.search import SearchSpace, known_losses
from amlfs_mm.search.search_space import MIN_SLOPE


def exact_arcface(x: np.ndarray, m: float) -> np.ndarray:
    return np.cos(np.arccos(x) + m)


def exact_psi(x: np.ndarray, m: int) -> np.ndarray:
    """Liu et al. 2016, Eq. 5: (-1)^k cos(m theta) - 2k for theta in [k pi / m, (k + 1) pi / m]."""
    theta = np.arccos(x)
    value = np.full_like(x, np.nan)
    for k in range(m):
        inside = (theta >= k * math.pi / m) & (theta <= (k + 1) * math.pi / m + 1e-12)
        value[inside] = (-1) ** k * np.cos(m * theta[inside]) - 2 * k
    return value


def exact_focal(p: np.ndarray, alpha: float) -> np.ndarray:
    """Below Eq. 16, tau2(p) = exp(tau1(log p)), with tau1(x) = x (1 - e^x)^alpha (Eq. 6)."""
    value = np.zeros_like(p)
    inside = p > 0
    x = np.log(p[inside])
    value[inside] = np.exp(x * (1 - np.exp(x)) ** alpha)
    return value


EXACT = {
    'arcface': (exact_arcface, -1.0),
    'l_softmax': (exact_psi, -1.0),
    'a_softmax': (exact_psi, -1.0),
    'focal': (exact_focal, 0.0),
}

# name, params, the bound, the largest error that known_loss's docstring states for M = 6
APPROXIMATIONS = [
    ('arcface', dict(m=0.5), 0.108, 0.062),
    ('l_softmax', dict(m=2), 0.037, 0.028),
    ('a_softmax', dict(m=2), 0.037, 0.028),
    ('l_softmax', dict(m=4), 0.52, 0.347),
    ('a_softmax', dict(m=4), 0.52, 0.347),
    ('focal', dict(alpha=1), 0.008, 0.008),
    ('focal', dict(alpha=2), 0.017, 0.016),
]


def max_error(theta: torch.Tensor, num_intervals: int, name: str, params: dict) -> float:
    """Largest |piecewise - exact| on a dense grid of each interval, from theta's layout alone."""
    exact, lower = EXACT[name]
    blocks = theta.double().numpy().reshape(4, num_intervals)
    slope, bias = blocks[:2] if lower == -1.0 else blocks[2:]
    edges = np.linspace(lower, 1.0, num_intervals + 1)
    worst = 0.0
    for i in range(num_intervals):
        x = np.linspace(edges[i], edges[i + 1], 20001)
        worst = max(worst, np.abs(slope[i] * x + bias[i] - exact(x, **params)).max())
    return worst


@pytest.mark.parametrize('num_intervals', [1, 2, 6, 10])
def test_layout_of_theta(num_intervals):
    space = SearchSpace(num_intervals)
    assert space.dim == 4 * num_intervals
    theta = torch.arange(space.dim, dtype=torch.float32)
    parts = space.split(theta)
    m = num_intervals
    assert parts.t_slope.tolist() == list(range(m))
    assert parts.t_bias.tolist() == list(range(m, 2 * m))
    assert parts.tau_slope.tolist() == list(range(2 * m, 3 * m))
    assert parts.tau_bias.tolist() == list(range(3 * m, 4 * m))
    identity = space.identity()
    assert identity.tolist() == [1.0] * m + [0.0] * m + [1.0] * m + [0.0] * m


def test_default_is_the_papers_six_intervals():
    assert SearchSpace().dim == 24
    assert repr(SearchSpace()) == 'SearchSpace(num_intervals=6)'


@pytest.mark.parametrize('wrong', [0, -1, 2.0, '6', None])
def test_num_intervals_must_be_a_positive_whole_number(wrong):
    with pytest.raises(ValueError, match='num_intervals'):
        SearchSpace(wrong)


@pytest.mark.parametrize('shape', [(23,), (25,), (1, 24), (4, 6), ()])
def test_split_and_transforms_refuse_another_length(shape):
    space = SearchSpace(6)
    for method in (space.split, space.transforms):
        with pytest.raises(ValueError, match=r'SearchSpace\(num_intervals=6\) needs \(24,\)') as e:
            method(torch.zeros(shape))
        assert str(tuple(shape)) in str(e.value)


def test_transforms_clamp_slopes_only():
    space = SearchSpace(3)
    theta = torch.tensor([-2.0, 0.005, 0.5, -3.0, 0.001, 4.0, 0.0, 0.02, -0.1, -0.7, 0.0, 9.0])
    t, tau = space.transforms(theta)
    torch.testing.assert_close(t.slope, torch.tensor([0.01, 0.01, 0.5]))
    torch.testing.assert_close(t.bias, torch.tensor([-3.0, 0.001, 4.0]))
    torch.testing.assert_close(tau.slope, torch.tensor([0.01, 0.02, 0.01]))
    torch.testing.assert_close(tau.bias, torch.tensor([-0.7, 0.0, 9.0]))
    assert (t.lower, t.upper, tau.lower, tau.upper) == (-1.0, 1.0, 0.0, 1.0)
    t, tau = space.transforms(theta, min_slope=0.3)
    torch.testing.assert_close(t.slope, torch.tensor([0.3, 0.3, 0.5]))
    torch.testing.assert_close(tau.slope, torch.tensor([0.3, 0.3, 0.3]))
    assert theta[0] == -2.0  # the raw sample, which the score function needs, stays as it was


def test_softmax_is_the_identity():
    space = SearchSpace(6)
    assert torch.equal(space.known_loss('softmax'), space.identity())
    t, tau = space.transforms(space.known_loss('softmax'))
    x = torch.linspace(-1, 1, 1001)
    assert torch.equal(t(x), x)
    assert torch.equal(tau(x.abs()), x.abs())


@pytest.mark.parametrize('num_intervals', [1, 4, 6])
@pytest.mark.parametrize('m', [0.0, 0.2, 0.35])
def test_am_softmax_is_exact(m, num_intervals):
    space = SearchSpace(num_intervals)
    theta = space.known_loss('am_softmax', m=m)
    expected = torch.tensor(
        [1.0] * num_intervals + [-m] * num_intervals + [1.0] * num_intervals + [0.0] * num_intervals
    )
    torch.testing.assert_close(theta, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(('name', 'params', 'bound', 'stated'), APPROXIMATIONS)
def test_known_losses_are_within_the_stated_error(name, params, bound, stated):
    space = SearchSpace(6)
    theta = space.known_loss(name, **params)
    error = max_error(theta, 6, name, params)
    assert error <= bound
    # the docstring's number, rounded up to three decimals, is this very error
    assert stated - 0.001 < error <= stated
    parts = space.split(theta)
    assert (parts.t_slope >= MIN_SLOPE).all()
    assert (parts.tau_slope >= MIN_SLOPE).all()
    # the other transform stays the identity
    identity = space.split(space.identity())
    if name == 'focal':
        assert torch.equal(parts.t_slope, identity.t_slope)
        assert torch.equal(parts.t_bias, identity.t_bias)
    else:
        assert torch.equal(parts.tau_slope, identity.tau_slope)
        assert torch.equal(parts.tau_bias, identity.tau_bias)


@pytest.mark.parametrize('b', [0.0, 0.1, 0.5, 3.0])
def test_robust_is_exact(b):
    """-log(p + b): slopes of tau 1, its biases b, t the identity."""
    parts = SearchSpace(4).split(SearchSpace(4).known_loss('robust', b=b))
    torch.testing.assert_close(parts.tau_slope, torch.ones(4))
    torch.testing.assert_close(parts.tau_bias, torch.full((4,), b))
    assert torch.equal(parts.t_slope, torch.ones(4))
    assert torch.equal(parts.t_bias, torch.zeros(4))


def test_focal_runs_through_the_origin():
    for alpha in (1, 2):
        assert (
            SearchSpace(6).split(SearchSpace(6).known_loss('focal', alpha=alpha)).tau_bias[0] == 0
        )


@pytest.mark.parametrize(('name', 'params', 'bound', 'stated'), APPROXIMATIONS[1:])
def test_more_intervals_approximate_better(name, params, bound, stated):
    """Not arcface: its error is where the function falls, near -1, and a slope may not."""
    theta = SearchSpace(12).known_loss(name, **params)
    assert max_error(theta, 12, name, params) < 0.75 * stated


def test_best_line_is_the_analytic_one():
    """psi(x, 2) = 2 x^2 - 1 for x >= 0: on [l, u] of width h Chebyshev's best line is the secant,
    slope 2 (l + u), and its error 2 (h / 2)^2 / 2 = h^2 / 4."""
    theta = SearchSpace(6).known_loss('l_softmax', m=2).double().numpy().reshape(4, 6)
    for i in (3, 4, 5):
        lower, upper = -1 + i / 3, -1 + (i + 1) / 3
        assert theta[0, i] == pytest.approx(2 * (lower + upper), abs=1e-5)
        x = np.linspace(lower, upper, 2001)
        error = np.abs(theta[0, i] * x + theta[1, i] - (2 * x * x - 1)).max()
        assert error == pytest.approx((1 / 3) ** 2 / 4, abs=1e-6)


@pytest.mark.parametrize('place', ['free bias', 'through the origin'])
def test_fit_line_is_optimal(place):
    """No line nearby does better: the maximum error is convex, so this is the global optimum."""
    bias = 0.0 if place == 'through the origin' else None

    def function(x):
        return known_losses.focal(x, 2.0)

    x = torch.linspace(0.0, 1 / 6, 2001, dtype=torch.float64)
    slope, intercept = known_losses.fit_line(function, 0.0, 1 / 6, MIN_SLOPE, bias)

    def error(a, b):
        return (a * x + b - function(x)).abs().max().item()

    best = error(slope, intercept)
    for da in (-1e-3, 0.0, 1e-3):
        for db in (0.0,) if bias == 0.0 else (-1e-4, 0.0, 1e-4):
            assert error(slope + da, intercept + db) >= best - 1e-12


@pytest.mark.parametrize('m', [1, 2, 3, 4])
def test_psi_is_monotone_and_continuous(m):
    """From psi(-1) = 1 - 2 m up to psi(1) = 1, without a jump."""
    x = torch.linspace(-1, 1, 100001, dtype=torch.float64)
    value = known_losses.psi(x, m)
    step = value.diff()
    assert (step > 0).all()
    assert step.max() < 2e-3 * m * m
    assert value[0].item() == pytest.approx(1 - 2 * m)
    assert value[-1].item() == pytest.approx(1)
    np.testing.assert_allclose(value.numpy(), exact_psi(x.numpy(), m), atol=1e-9)


def test_exact_functions_follow_their_papers():
    x = np.linspace(-1, 1, 2001)
    p = np.linspace(1e-9, 1, 2001)
    np.testing.assert_allclose(
        known_losses.arcface(torch.from_numpy(x), 0.5).numpy(), exact_arcface(x, 0.5), atol=1e-12
    )
    np.testing.assert_allclose(known_losses.am_softmax(torch.from_numpy(x), 0.35).numpy(), x - 0.35)
    for alpha in (0.0, 0.5, 1.0, 2.0):
        # Lin et al. 2017: FL(p) = -(1 - p)^alpha log p
        focal_loss = -((1 - p) ** alpha) * np.log(p)
        ours = -torch.log(known_losses.focal(torch.from_numpy(p), alpha)).numpy()
        np.testing.assert_allclose(ours, focal_loss, atol=1e-9)


@pytest.mark.parametrize(
    ('name', 'params', 'says'),
    [
        ('arc_face', dict(m=0.5), ['arcface', 'softmax', 'am_softmax', 'l_softmax', 'focal']),
        ('', {}, ['arcface', 'a_softmax']),
        ('softmax', dict(m=0.5), ['softmax', 'no parameter', "'am_softmax' (m)"]),
        ('am_softmax', {}, ['am_softmax', 'm=']),
        ('am_softmax', dict(alpha=1), ['am_softmax', 'm=', 'alpha']),
        ('arcface', dict(m=0.5, s=30), ['arcface', 'm=', "'s'"]),
        ('focal', dict(m=2), ['focal', 'alpha=', "'m'"]),
        ('focal', dict(gamma=2), ['focal', 'alpha=', 'gamma']),
        ('l_softmax', dict(m=2.5), ['l_softmax', 'whole', '2.5']),
        ('a_softmax', dict(m=0), ['a_softmax', 'm >= 1', 'm=0']),
        ('l_softmax', dict(m=-2), ['l_softmax', 'm >= 1', 'm=-2']),
        ('robust', dict(m=1), ['robust', 'b=', "'m'"]),
        ('robust', dict(b=-0.1), ['robust', 'b >= 0', 'b=-0.1']),
        ('robust', dict(b=math.inf), ['robust', 'b must be a finite number', 'inf']),
        ('robust', dict(b='0.5'), ['robust', 'b must be a finite number', "'0.5'"]),
        ('am_softmax', dict(m=math.nan), ['am_softmax', 'm must be a finite number', 'nan']),
        ('a_softmax', dict(m=True), ['a_softmax', 'm must be a finite number', 'True']),
    ],
)
def test_wrong_names_and_parameters_are_refused_by_name(name, params, says):
    with pytest.raises(ValueError) as e:  # noqa: PT011, the words are checked below
        SearchSpace().known_loss(name, **params)
    for word in says:
        assert word in str(e.value)


def test_search_imports_torch_only():
    """The package's one-way rule: amlfs_mm.search knows neither mmengine nor our other parts."""
    folder = Path(amlfs_mm.__file__).parent / 'search'
    sources = sorted(folder.glob('**/*.py'))
    assert len(sources) >= 5
    allowed = sys.stdlib_module_names | {'torch', 'cmaes'}  # cmaes: optional, when a policy asks
    relative = 0
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Import):
                roots = [alias.name.split('.')[0] for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                roots = [node.module.split('.')[0]]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 1, f'{source} imports from outside amlfs_mm.search'
                relative += 1
                continue
            elif isinstance(node, ast.Call) and getattr(node.func, 'id', '') == '__import__':
                roots = ['__import__']
            else:
                continue
            assert set(roots) <= allowed, f'{source} imports {roots}'
    assert relative >= 3
