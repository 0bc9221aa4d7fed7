"""amlfs_loss and its parts against Eq. 4, 16 and 17, on logits.

``tau``'s two floors (DESIGN.md section 4): relative, max(a p + b, 0.1 a p), and constant,
max(a p + b, 0.01).
"""

import math

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.models.heads import ArcFaceClsHead

from amlfs_mm.models.losses import amlfs_loss, log_tau, transform_target_logit
from amlfs_mm.search import PiecewiseLinear, SearchSpace

SPACE = SearchSpace(6)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sample_theta(seed: int, sigma: float = 0.5) -> torch.Tensor:
    return SPACE.identity() + sigma * torch.randn(24, generator=generator(seed))


def line(slope: float, bias: float) -> PiecewiseLinear:
    return PiecewiseLinear(torch.tensor([slope]), torch.tensor([bias]), 0.0, 1.0)


def naive_log_tau(log_p: float, a: float, b: float, floor: str) -> tuple[float, float]:
    """log tau(p) and its derivative with respect to log p, in float64.

    Dividing by a p > 0 keeps p = exp(-700) representable: max(a p + b, 0.1 a p) is
    a p max(1 + b / (a p), 0.1), and d log(a p + b) / d log p = a p / (a p + b).
    """
    ap = a * math.exp(log_p)
    if floor == 'constant':
        return math.log(max(ap + b, 0.01)), ap / (ap + b) if ap + b > 0.01 else 0.0
    if ap + b > 0.1 * ap:
        return log_p + math.log(a) + math.log(1 + b / ap), ap / (ap + b)
    return log_p + math.log(a) + math.log(0.1), 1.0


def interval_of_p(log_p: float) -> int:
    return min(int(math.exp(log_p) * 6), 5)


def at_a_kink(log_p: float, a: float, b: float, floor: str) -> bool:
    """Where float32 may take the other side: an edge of tau, or where the floor begins."""
    p = math.exp(log_p)
    if p > 0.1 and abs(p * 6 - round(p * 6)) < 1e-5:
        return True
    value, least = a * p + b, 0.01 if floor == 'constant' else 0.1 * a * p
    return abs(value - least) < 1e-4 * max(abs(least), abs(b))


# log tau


@pytest.mark.parametrize('floor', ['relative', 'constant'])
@pytest.mark.parametrize('seed', range(6))
def test_log_tau_and_its_derivative(seed, floor):
    """On probabilities from exp(-200) to 1, every sigma-0.5 sample with both signs of b in it."""
    theta = sample_theta(seed)
    tau = SPACE.transforms(theta)[1]
    assert (tau.bias > 0).any()
    assert (tau.bias < 0).any()
    log_p = torch.cat(
        [torch.linspace(-200, -3, 400), torch.rand(400, generator=generator(0)).log()]
    )
    log_p.requires_grad_()
    value = log_tau(log_p, tau, floor)
    (weight,) = torch.autograd.grad(value.sum(), log_p)

    skipped = 0
    for x, v, w in zip(log_p.tolist(), value.tolist(), weight.tolist(), strict=True):
        i = interval_of_p(x)
        a, b = tau.slope[i].item(), tau.bias[i].item()
        if at_a_kink(x, a, b, floor):
            skipped += 1
            continue
        expected, derivative = naive_log_tau(x, a, b, floor)
        assert abs(v - expected) <= 1e-5 * max(1, abs(expected)), (x, a, b)
        assert abs(w - derivative) <= 1e-4 * max(1e-3, derivative), (x, a, b)
    assert skipped <= 8


@pytest.mark.parametrize('bias', [-2.0, -0.3, -1e-3, -1e-30, 0.0, 1e-30, 1e-3, 0.3, 2.0])
@pytest.mark.parametrize('slope', [0.01, 0.2, 1.0, 3.0])
def test_the_weight_of_the_relative_floor_is_between_0_and_10(slope, bias):
    log_p = torch.cat([torch.linspace(-200, 0, 4001), torch.tensor([-1e6, -1e-7])]).requires_grad_()
    value = log_tau(log_p, line(slope, bias), 'relative')
    (weight,) = torch.autograd.grad(value.sum(), log_p)
    assert torch.isfinite(value).all()
    assert (weight >= 0).all()
    assert (weight <= 10 * (1 + 1e-5)).all()


def test_the_weight_reaches_10_just_above_the_relative_floor():
    """a = 1, b = -0.45: the floor begins where p - 0.45 = 0.1 p, at p = 0.5."""
    for p, expected in [(0.5 + 1e-4, 0.5001 / 0.0501), (0.5 - 1e-4, 1.0), (0.9, 2.0)]:
        log_p = torch.tensor([math.log(p)], requires_grad=True)
        value = log_tau(log_p, line(1.0, -0.45), 'relative')
        (weight,) = torch.autograd.grad(value.sum(), log_p)
        assert weight.item() == pytest.approx(expected, rel=1e-3)
        # no jump at the kink
        assert value.item() == pytest.approx(math.log(max(p - 0.45, 0.1 * p)), abs=1e-4)


def test_floors_take_over_below_and_only_there():
    """a = 2, b = -0.5. Relative floor below 1.8 p = 0.5, constant floor below 2 p = 0.51."""
    tau = line(2.0, -0.5)
    for p in (1e-30, 1e-3, 0.1, 0.25, 0.2549, 0.27, 0.2777):
        log_p = torch.tensor([math.log(p)], requires_grad=True)
        relative = log_tau(log_p, tau, 'relative')
        assert relative.item() == pytest.approx(math.log(0.2 * p), rel=1e-5)
        assert torch.autograd.grad(relative.sum(), log_p)[0].item() == pytest.approx(1)
    for p in (1e-30, 0.1, 0.25, 0.2549):
        log_p = torch.tensor([math.log(p)], requires_grad=True)
        constant = log_tau(log_p, tau, 'constant')
        assert constant.item() == pytest.approx(math.log(0.01), rel=1e-6)
        assert torch.autograd.grad(constant.sum(), log_p)[0].item() == 0
    for p in (0.28, 0.5, 1.0):
        for floor in ('relative', 'constant'):
            value = log_tau(torch.tensor([math.log(p)]), tau, floor)
            assert value.item() == pytest.approx(math.log(2 * p - 0.5), abs=2e-6)


def test_identity_tau_gives_log_p_back_for_any_p():
    log_p = torch.cat([torch.linspace(-300, 0, 1001), torch.tensor([-1e6, -1e30])])
    tau = SPACE.transforms(SPACE.identity())[1]
    assert torch.equal(log_tau(log_p, tau, 'relative'), log_p)


# The target's logit


@pytest.mark.parametrize('seed', range(3))
def test_only_the_target_logit_changes(seed):
    random = generator(seed)
    t = SPACE.transforms(sample_theta(seed))[0]
    target = torch.randint(5, (64,), generator=random)
    norm = 10 ** (4 * torch.rand(64, generator=random) - 2)  # 0.01 to 100
    logits = norm[:, None] * (2 * torch.rand(64, 5, generator=random) - 1)
    before = logits.clone()
    new, cosine = transform_target_logit(logits.requires_grad_(), target, norm, t)
    assert new.requires_grad
    assert torch.equal(logits, before)
    assert not cosine.requires_grad
    for i in range(64):
        for j in range(5):
            if j != target[i]:
                assert new[i, j] == logits[i, j]
                continue
            x = logits[i, j].item() / norm[i].item()
            assert cosine[i].item() == pytest.approx(x, rel=1e-6)
            position = (x + 1) * 3
            if abs(position - round(position)) < 1e-5:
                continue
            k = int(position)
            # Eq. 4 and 17: n t(x) = n (a x + b), slopes clamped
            value = norm[i].item() * (t.slope[k].item() * x + t.bias[k].item())
            assert new[i, j].item() == pytest.approx(value, rel=1e-5, abs=1e-5 * norm[i].item())


def test_a_target_without_length_has_cosine_0_and_finite_gradients():
    """Feature 0: n = 0, cos counts as 0 (interval 3 of 6), and n t(cos) = 0 whatever t is."""
    logits = torch.zeros(2, 3, requires_grad=True)
    norm = torch.zeros(2, requires_grad=True)
    t, tau = SPACE.transforms(sample_theta(0))
    target = torch.tensor([0, 2])
    new, cosine = transform_target_logit(logits, target, norm, t)
    assert torch.equal(new, torch.zeros(2, 3))
    assert torch.equal(cosine, torch.zeros(2))
    loss, _, probability = amlfs_loss(logits, target, norm, t, tau)
    torch.testing.assert_close(probability, torch.full((2,), 1 / 3))
    loss.sum().backward()
    assert torch.isfinite(logits.grad).all()
    assert torch.isfinite(norm.grad).all()
    # d new / d logit = a, d new / d n = b
    weight = norm.grad / t.bias[3]
    torch.testing.assert_close(weight * t.slope[3], logits.grad.gather(1, target[:, None])[:, 0])


# The whole


@pytest.mark.parametrize('floor', ['relative', 'constant'])
@pytest.mark.parametrize('seed', range(10))
def test_loss_and_gradients_stay_finite_down_to_exp_minus_200(seed, floor):
    """Logits (-k, 0), target 0: p = 1 / (1 + e^k). t is the identity, tau a sigma-0.5 sample."""
    tau = SPACE.transforms(sample_theta(seed))[1]
    t = SPACE.transforms(SPACE.identity())[0]
    k = torch.cat([torch.arange(0.0, 201.0), torch.tensor([1e3, 1e6, -50.0, -1e4])])
    logits = torch.stack([-k, torch.zeros_like(k)], 1).requires_grad_()
    target = torch.zeros(len(k), dtype=torch.int64)
    loss, _, probability = amlfs_loss(logits, target, k.abs(), t, tau, floor)
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(logits.grad).all()
    assert loss.dtype == torch.float32
    skipped = 0
    for i in range(201):
        log_p = -k[i].item() - math.log1p(math.exp(-k[i].item()))
        assert probability[i].item() == pytest.approx(math.exp(log_p), rel=1e-4, abs=1e-37)
        j = interval_of_p(log_p)
        a, b = tau.slope[j].item(), tau.bias[j].item()
        if at_a_kink(log_p, a, b, floor):
            skipped += 1
            continue
        expected, weight = naive_log_tau(log_p, a, b, floor)
        assert abs(loss[i].item() + expected) <= 1e-5 * max(1, abs(expected))
        # dL / dz_y = -weight (1 - p)
        gradient = -weight * (1 - math.exp(log_p))
        assert logits.grad[i, 0].item() == pytest.approx(gradient, rel=1e-4, abs=1e-6)
    assert skipped <= 2


def test_hard_samples_keep_softmax_gradient_under_the_relative_floor_alone():
    tau = line(1.0, -0.2)
    t = SPACE.transforms(SPACE.identity())[0]
    target = torch.tensor([0])
    for floor, expected in [('relative', -1.0), ('constant', 0.0)]:
        logits = torch.tensor([[-200.0, 0.0]], requires_grad=True)
        loss = amlfs_loss(logits, target, torch.tensor([200.0]), t, tau, floor)[0]
        loss.sum().backward()
        assert logits.grad[0, 0].item() == pytest.approx(expected)
        assert logits.grad[0, 1].item() == pytest.approx(-expected)


class SmoothArcFace:
    """Any transform can take part by its tangent line: here the exact cos(arccos x + m)."""

    def __init__(self, m: float) -> None:
        self.m = m

    def tangent(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        angle = torch.arccos(x)
        slope = torch.sin(angle + self.m) / torch.sin(angle)
        return slope, torch.cos(angle + self.m) - slope * x


@pytest.mark.parametrize('scale', [14.0, 30.0, 64.0])
def test_exact_arcface_is_mmpretrains(scale):
    """A smooth t through its tangents: loss and gradients of mmpretrain's ArcFaceClsHead."""
    m = 0.5
    peer = ArcFaceClsHead(num_classes=10, in_channels=8, scale=scale, margins=m)
    random = generator(0)
    with torch.no_grad():
        peer.norm_product.weight.copy_(torch.randn(10, 8, generator=random))
    target = torch.randint(10, (64,), generator=random)
    feats = torch.randn(64, 8, generator=random)
    cosine = F.linear(F.normalize(feats), F.normalize(peer.norm_product.weight))
    cosine = cosine.gather(1, target[:, None])[:, 0].detach()
    guarded = cosine < math.cos(math.pi - m) + 1e-3  # the peer leaves the formula there
    assert guarded.sum() < 10
    feats, target = feats[~guarded].requires_grad_(), target[~guarded]

    theirs = F.cross_entropy(peer((feats,), target), target, reduction='none')
    their_gradient = torch.autograd.grad(
        theirs.sum(), [feats, peer.norm_product.weight], retain_graph=True
    )
    logits = peer((feats,))
    tau = SPACE.transforms(SPACE.identity())[1]
    norm = torch.full((len(feats),), scale)
    ours, _, _ = amlfs_loss(logits, target, norm, SmoothArcFace(m), tau)
    our_gradient = torch.autograd.grad(ours.sum(), [feats, peer.norm_product.weight])
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    for one, other in zip(our_gradient, their_gradient, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4 * scale)
        assert other.abs().max() > 0.1
