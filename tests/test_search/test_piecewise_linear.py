"""PiecewiseLinear against Eq. 17, read one value at a time."""

import pytest
import torch

from amlfs_mm.search import PiecewiseLinear

DOMAINS = [(-1.0, 1.0), (0.0, 1.0)]


def random_function(num_intervals: int, lower: float, upper: float, seed: int) -> PiecewiseLinear:
    generator = torch.Generator().manual_seed(seed)
    slope, bias = torch.randn(2, num_intervals, generator=generator)
    return PiecewiseLinear(slope, bias, lower, upper)


def naive_interval(x: float, lower: float, upper: float, num_intervals: int) -> int:
    """The last interval that starts at or below x; the nearest one outside the domain."""
    interval = 0
    for i in range(num_intervals):
        if x >= lower + i * (upper - lower) / num_intervals:
            interval = i
    return interval


@pytest.mark.parametrize(('lower', 'upper'), DOMAINS)
@pytest.mark.parametrize('num_intervals', [1, 2, 3, 6, 7, 10])
def test_value_tangent_and_interval_follow_eq_17(num_intervals, lower, upper):
    function = random_function(num_intervals, lower, upper, seed=num_intervals)
    generator = torch.Generator().manual_seed(1)
    # 1.5 times the domain's width; away from edges by construction of the filter below
    x = lower + (upper - lower) * (1.5 * torch.rand(2000, generator=generator) - 0.25)
    position = (x.double() - lower) / (upper - lower) * num_intervals
    x = x[(position - position.round()).abs() > 1e-5]
    assert len(x) > 1980

    value, interval = function(x), function.locate(x)
    slope, bias = function.tangent(x)
    for k in range(len(x)):
        i = naive_interval(x[k].item(), lower, upper, num_intervals)
        assert interval[k] == i
        assert slope[k] == function.slope[i]
        assert bias[k] == function.bias[i]
        expected = function.slope[i].item() * x[k].item() + function.bias[i].item()
        assert value[k].item() == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(('lower', 'upper'), DOMAINS)
@pytest.mark.parametrize('num_intervals', range(1, 13))
def test_edges_divide_the_domain_evenly_and_belong_to_the_upper_interval(
    num_intervals, lower, upper
):
    function = random_function(num_intervals, lower, upper, seed=0)
    edges = function.edges
    assert function.num_intervals == num_intervals
    expected = [lower + (upper - lower) * i / num_intervals for i in range(num_intervals + 1)]
    torch.testing.assert_close(edges, torch.tensor(expected), rtol=0, atol=1e-7)
    # zeta_i opens interval i; zeta_M closes the last one
    assert function.locate(edges).tolist() == [*range(num_intervals), num_intervals - 1]
    below = torch.nextafter(edges[1:-1], torch.tensor(-9.0))
    assert function.locate(below).tolist() == list(range(num_intervals - 1))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_edges_that_binary_represents_are_exact(dtype):
    t = random_function(6, -1.0, 1.0, seed=0)
    tau = random_function(4, 0.0, 1.0, seed=0)
    assert t.locate(torch.tensor([-1.0, 0.0, 1.0], dtype=dtype)).tolist() == [0, 3, 5]
    assert tau.locate(torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0], dtype=dtype)).tolist() == [
        0,
        1,
        2,
        3,
        3,
    ]


def test_values_outside_the_domain_go_to_the_nearest_interval():
    function = random_function(6, -1.0, 1.0, seed=2)
    x = torch.tensor([-1.0000001, -3.0, -torch.inf, 1.0000001, 3.0, torch.inf])
    assert function.locate(x).tolist() == [0, 0, 0, 5, 5, 5]
    # the outer lines go on: no clamping of x itself
    assert function(torch.tensor([-3.0, 3.0])).tolist() == pytest.approx(
        [
            -3 * function.slope[0].item() + function.bias[0].item(),
            3 * function.slope[5].item() + function.bias[5].item(),
        ]
    )


def test_nan_has_an_interval_and_stays_nan():
    """A candidate that diverges must give a NaN loss, not an index error."""
    function = random_function(6, -1.0, 1.0, seed=2)
    x = torch.tensor([float('nan'), 0.1])
    assert 0 <= function.locate(x)[0] < 6
    assert function(x).isnan().tolist() == [True, False]


def test_shape_is_kept_and_the_derivative_is_the_slope():
    function = random_function(5, 0.0, 1.0, seed=3)
    x = torch.rand(4, 3, 2, generator=torch.Generator().manual_seed(0), requires_grad=True)
    value = function(x)
    assert value.shape == x.shape
    assert function.locate(x).shape == x.shape
    assert function.locate(x).dtype == torch.int64
    value.sum().backward()
    expected = [
        function.slope[naive_interval(v, 0.0, 1.0, 5)].item() for v in x.detach().flatten().tolist()
    ]
    assert x.grad.flatten().tolist() == expected


@pytest.mark.parametrize(
    ('slope', 'bias'), [((3,), (4,)), ((2, 3), (2, 3)), ((), ()), ((3,), (3, 1))]
)
def test_slope_and_bias_must_be_vectors_of_one_length(slope, bias):
    with pytest.raises(ValueError, match='vectors of one length'):
        PiecewiseLinear(torch.zeros(slope), torch.zeros(bias), 0.0, 1.0)
