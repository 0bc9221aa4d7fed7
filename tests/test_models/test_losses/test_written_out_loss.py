"""The loss with its gradient written out, against the readable one and against autograd."""

import pytest
import torch
from torch import Tensor

from amlfs_mm.models.losses import amlfs_loss, fused_amlfs_loss
from amlfs_mm.search import PiecewiseLinear, SearchSpace

SPACE = SearchSpace(6)
THETA = {'identity': SPACE.identity()}
for number in range(8):
    random = torch.Generator().manual_seed(number)
    THETA[f'sample {number}'] = SPACE.identity() + 0.5 * torch.randn(24, generator=random)


def draw(
    samples: int, classes: int, largest: float, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor, Tensor]:
    """Logits with cosines of both signs and norms from 0 to ``largest``, targets, norms."""
    random = torch.Generator().manual_seed(samples + classes)
    norm = largest * torch.rand(samples, generator=random, dtype=dtype)
    norm[0] = 0
    cosine = 2 * torch.rand(samples, classes, generator=random, dtype=dtype) - 1
    target = torch.randint(classes, (samples,), generator=random)
    return norm[:, None] * cosine, target, norm


def losses_and_gradients(function, logits: Tensor, target: Tensor, norm: Tensor, *options) -> tuple:
    logits, norm = logits.clone().requires_grad_(), norm.clone().requires_grad_()
    t, tau, _ = options
    loss, cosine, probability = function(logits, target, norm, *options)
    if function is amlfs_loss:
        cosine, probability = t.locate(cosine), tau.locate(probability)
    upstream = torch.linspace(-1, 2, len(loss), dtype=loss.dtype)
    gradients = torch.autograd.grad((upstream * loss).sum(), [logits, norm])
    return (loss.detach(), *gradients, cosine, probability)


@pytest.mark.parametrize('floor', ['relative', 'constant'])
@pytest.mark.parametrize('theta', THETA)
@pytest.mark.parametrize(
    ('samples', 'classes', 'largest'), [(64, 10, 1.0), (64, 10, 30.0), (7, 2, 300.0), (33, 999, 64)]
)
def test_it_is_the_readable_loss(theta, floor, samples, classes, largest):
    """In float64, where both formulas are exact."""
    inputs = draw(samples, classes, largest, torch.float64)
    options = (*SPACE.transforms(THETA[theta].double()), floor)
    expected = losses_and_gradients(amlfs_loss, *inputs, *options)
    found = losses_and_gradients(fused_amlfs_loss, *inputs, *options)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize('floor', ['relative', 'constant'])
@pytest.mark.parametrize('theta', THETA)
def test_float32_stays_as_close_to_float64_as_the_readable_loss(theta, floor):
    logits, target, norm = draw(256, 50, 40.0)
    exact = losses_and_gradients(
        amlfs_loss, logits.double(), target, norm.double(), *SPACE.transforms(THETA[theta]), floor
    )
    options = (*SPACE.transforms(THETA[theta]), floor)
    readable = losses_and_gradients(amlfs_loss, logits, target, norm, *options)
    fused = losses_and_gradients(fused_amlfs_loss, logits, target, norm, *options)
    for ours, theirs, best in zip(fused, readable, exact, strict=True):
        error, accepted = ((x - best).abs().max().item() for x in (ours, theirs))
        assert error <= 2 * accepted + 1e-6 * best.abs().max().item()


def test_one_number_may_stand_for_all_norms():
    logits, target, _ = draw(64, 10, 30.0)
    logits = logits.clamp(-30, 30)
    transforms = SPACE.transforms(THETA['sample 1'])
    of_number = fused_amlfs_loss(logits, target, 30.0, *transforms)
    of_vector = fused_amlfs_loss(logits, target, torch.full((64,), 30.0), *transforms)
    for one, other in zip(of_number, of_vector, strict=True):
        torch.testing.assert_close(one, other)


def test_the_gradient_is_that_of_finite_differences():
    """Away from edges, where the function has one: gradcheck walks 1e-6 to either side."""
    logits, target, norm = draw(12, 5, 8.0, torch.float64)
    logits, norm = logits[1:].requires_grad_(), norm[1:].requires_grad_()
    t, tau = SPACE.transforms(THETA['sample 2'].double())
    for floor in ('relative', 'constant'):
        torch.autograd.gradcheck(
            lambda z, n: fused_amlfs_loss(z, target[1:], n, t, tau, floor)[0],  # noqa: B023
            (logits, norm),
        )


def test_logits_are_left_as_they_were():
    logits, target, norm = draw(64, 10, 30.0)
    logits.requires_grad_()
    before = logits.detach().clone()
    saved = (logits**2).sum()  # autograd keeps the logits, and would notice a change
    loss = fused_amlfs_loss(logits, target, norm, *SPACE.transforms(THETA['sample 3']))[0]
    assert torch.equal(logits, before)
    (loss.sum() + saved).backward()


def test_hard_samples_down_to_probabilities_that_underflow():
    """z = (-k, 0): p = exp(-k) is 0 in float32 from k = 104; the weight must not become 0 / 0."""
    tau = PiecewiseLinear(torch.tensor([1.0]), torch.tensor([-0.2]), 0.0, 1.0)
    t = SPACE.transforms(SPACE.identity())[0]
    for bias, weight in [(-0.2, 1.0), (0.0, 1.0), (0.2, 0.0)]:
        tau.bias[0] = bias
        logits = torch.tensor([[-200.0, 0.0], [-1e4, 0.0]], requires_grad=True)
        loss = fused_amlfs_loss(logits, torch.tensor([0, 0]), 1e4, t, tau)[0]
        assert torch.isfinite(loss).all()
        loss.sum().backward()
        torch.testing.assert_close(logits.grad[:, 0], torch.full((2,), -weight))
