"""AMLFSHead's gradients against finite differences of Eq. 4, 16 and 17, and cross entropy's."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.searched_head import (
    FLOORS,
    SCALES,
    decided,
    labels,
    make_head,
    make_problem,
    make_theta,
    naive_batch,
)


def finite_differences(function, x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    gradient = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        values = []
        for sign in (1, -1):
            moved = x.copy()
            moved[index] += sign * step
            values.append(function(moved))
        gradient[index] = (values[0] - values[1]) / (2 * step)
    return gradient


@pytest.mark.parametrize('floor', FLOORS)
@pytest.mark.parametrize('kind', ['0.2', '0.5', 'small slopes'])
@pytest.mark.parametrize('scale', [None, 14.0, 64.0])
def test_gradients_equal_finite_differences(scale, kind, floor):
    """Of the mean loss with respect to features and weights, both in float32 and float64. Eq. 4's
    norms depend on both as well: nothing is detached but the choice of the interval."""
    floored = 0
    for seed in range(2):
        x, weight, y = make_problem(5, seed=20 + seed, n=24, d=4)
        theta = make_theta(kind, 20 + seed)
        samples = naive_batch(x.double().numpy(), weight.double().numpy(), y, theta, scale, floor)
        keep = [k for k, s in enumerate(samples) if decided(s, 6, 1e-3, 1e-3, 1e-2)]
        assert len(keep) >= 18
        x, y = x[keep], [y[k] for k in keep]
        floored += sum(samples[k].value < samples[k].least for k in keep)

        def mean_loss(x, weight, y=y, theta=theta):
            return np.mean([s.loss for s in naive_batch(x, weight, y, theta, scale, floor)])

        x64, weight64 = x.double().numpy(), weight.double().numpy()
        expected_x = finite_differences(lambda moved, w=weight64: mean_loss(moved, w), x64)
        expected_weight = finite_differences(lambda moved, x=x64: mean_loss(x, moved), weight64)

        for dtype, tolerance in [(torch.float32, 1e-4), (torch.float64, 1e-6)]:
            head = make_head(weight, theta, scale=scale, tau_floor=floor).to(dtype)
            head.set_theta(theta)
            feats = x.clone().to(dtype).requires_grad_()
            head.loss((feats,), labels(y))['loss'].backward()
            for got, expected in [
                (feats.grad, expected_x),
                (head.fc.weight.grad, expected_weight),
            ]:
                np.testing.assert_allclose(
                    got.double().numpy(), expected, rtol=0, atol=tolerance * np.abs(expected).max()
                )
    if kind == '0.5' and floor == 'relative':
        assert floored > 0


@pytest.mark.parametrize('scale', SCALES)
@pytest.mark.parametrize('num_classes', [2, 10, 751])
def test_identity_is_cross_entropy(num_classes, scale):
    x, weight, y = make_problem(num_classes, seed=1)
    head = make_head(weight, scale=scale)
    assert torch.equal(head.theta, make_theta('identity', 0))
    feats = x.clone().requires_grad_()
    ours = head.loss((feats,), labels(y))['loss']
    our_gradients = torch.autograd.grad(ours, [feats, head.fc.weight])
    plain = F.cross_entropy(head((feats,)), torch.tensor(y))
    gradients = torch.autograd.grad(plain, [feats, head.fc.weight])
    assert abs(ours.item() - plain.item()) <= 1e-6 * max(1, plain.item())
    for one, other in zip(our_gradients, gradients, strict=True):
        assert other.abs().max() > 1e-3
        assert (one - other).abs().max() <= 1e-6 * max(1, other.abs().max().item())
