"""AMLFSHead's loss against Eq. 4, 16 and 17, read one sample at a time in float64."""

import numpy as np
import pytest
import torch
from helpers.searched_head import (
    FLOORS,
    SCALES,
    decided,
    labels,
    losses_of,
    make_head,
    make_problem,
    make_theta,
    naive_batch,
)


@pytest.mark.parametrize('floor', FLOORS)
@pytest.mark.parametrize('kind', ['0.2', '0.5', 'small slopes'])
@pytest.mark.parametrize('scale', SCALES)
@pytest.mark.parametrize('num_classes', [2, 10, 751])
def test_per_sample_loss_equals_the_equations(num_classes, scale, kind, floor):
    floored = compared = excluded = 0
    intervals = set()
    for seed in range(3):
        x, weight, y = make_problem(num_classes, seed)
        theta = make_theta(kind, seed)
        head = make_head(weight, theta, scale=scale, tau_floor=floor)
        samples = naive_batch(x.double().numpy(), weight.double().numpy(), y, theta, scale, floor)
        got = losses_of(head, x, y)
        whole = head.loss((x,), labels(y))['loss'].item()
        assert whole == pytest.approx(got.mean(), rel=1e-5, abs=1e-6)
        for value, sample in zip(got.tolist(), samples, strict=True):
            # float32 may put a sample this near an edge on its other side
            if not decided(sample, 6, cosine=1e-6, probability=2e-5, floor=0):
                excluded += 1
                continue
            assert abs(value - sample.loss) <= 1e-5 * max(1, abs(sample.loss)), sample
            compared += 1
            floored += sample.value < sample.least
            intervals |= {('t', sample.t_interval), ('tau', sample.tau_interval)}
    assert excluded <= 3
    assert compared >= 189
    # the problem reaches what it is to test
    assert sum(name == 't' for name, _ in intervals) == 6
    assert (
        sum(name == 'tau' for name, _ in intervals)
        >= ({'0.2': 4, '0.5': 3, 'small slopes': 1}[kind])
    )
    if kind == '0.5':
        assert floored > 0


@pytest.mark.parametrize('num_intervals', [1, 2, 7])
@pytest.mark.parametrize('scale', [None, 30.0])
def test_other_numbers_of_intervals(scale, num_intervals):
    x, weight, y = make_problem(10, seed=5)
    theta = make_theta('0.5', 5, num_intervals)
    head = make_head(weight, theta, scale=scale, num_intervals=num_intervals)
    samples = naive_batch(x.double().numpy(), weight.double().numpy(), y, theta, scale, 'relative')
    for value, sample in zip(losses_of(head, x, y).tolist(), samples, strict=True):
        assert decided(sample, num_intervals, cosine=1e-6, probability=1e-5, floor=0)
        assert abs(value - sample.loss) <= 1e-5 * max(1, abs(sample.loss))


@pytest.mark.parametrize('floor', FLOORS)
@pytest.mark.parametrize('scale', [None, 64.0])
def test_in_float64_the_equations_hold_to_rounding(scale, floor):
    """The same comparison without float32's noise: nothing hides behind its tolerance."""
    x, weight, y = make_problem(10, seed=3)
    theta = make_theta('0.5', 3).double()
    head = make_head(weight, scale=scale, tau_floor=floor).double()
    head.set_theta(theta)
    samples = naive_batch(x.double().numpy(), weight.double().numpy(), y, theta, scale, floor)
    got = losses_of(head, x.double(), y)
    for value, sample in zip(got.tolist(), samples, strict=True):
        if decided(sample, 6, cosine=1e-6, probability=1e-6, floor=0):
            assert value == pytest.approx(sample.loss, rel=1e-11, abs=1e-11)
    assert head.loss((x.double(),), labels(y))['loss'].dtype == torch.float64


def test_min_slope_option():
    x, weight, y = make_problem(10, seed=4)
    theta = torch.cat([torch.full((6,), -1.0), torch.zeros(6), torch.full((6,), -1.0)])
    theta = torch.cat([theta, torch.full((6,), 0.1)])
    clamped = torch.cat([torch.full((6,), 0.3), torch.zeros(6), torch.full((6,), 0.3)])
    clamped = torch.cat([clamped, torch.full((6,), 0.1)])
    one = losses_of(make_head(weight, theta, scale=30.0, min_slope=0.3), x, y)
    other = losses_of(make_head(weight, clamped, scale=30.0), x, y)
    np.testing.assert_array_equal(one, other)
    assert np.abs(one - losses_of(make_head(weight, theta, scale=30.0), x, y)).max() > 0.1
