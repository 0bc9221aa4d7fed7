"""AMLFSHead against Eq. 4, 16 and 17, read one sample at a time in float64."""

import copy
import itertools
import json
import math
import pickle
from typing import NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmpretrain.models.heads import ArcFaceClsHead, LinearClsHead
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

import amlfs_mm  # noqa: F401
from amlfs_mm.engine.searched_heads import find_heads
from amlfs_mm.models import AMLFSHead
from amlfs_mm.search import SearchSpace

SCALES = [None, 14.0, 30.0, 64.0]
FLOORS = ['relative', 'constant']
NAN, INF = float('nan'), float('inf')


class Sample(NamedTuple):
    """One sample as Eq. 4, 16, 17 see it, in float64."""

    loss: float
    cosine: float
    probability: float
    t_interval: int
    tau_interval: int
    value: float  # a p + b
    least: float  # the floor of tau


def naive_sample(
    x: np.ndarray,
    weight: np.ndarray,
    y: int,
    theta: np.ndarray,
    scale: float | None,
    floor: str,
) -> Sample:
    """Eq. 4, 16 and 17 for one sample. x (D,), weight (C, D), theta (4M,); all float64."""
    m = len(theta) // 4
    t_slope, t_bias, tau_slope, tau_bias = theta.reshape(4, m)
    x_norm, w_norm = np.sqrt((x**2).sum()), np.sqrt((weight**2).sum(1))
    cosine = (weight @ x) / (w_norm * x_norm)
    n = w_norm * x_norm if scale is None else np.full(len(weight), scale)
    # Eq. 4: the target's cosine, and no other, goes through t
    logits = n * cosine
    i = min(max(math.floor((cosine[y] + 1) / 2 * m), 0), m - 1)
    logits[y] = n[y] * (max(t_slope[i], 0.01) * cosine[y] + t_bias[i])
    top = logits.max()
    log_p = logits[y] - top - math.log(np.exp(logits - top).sum())
    p = math.exp(log_p)
    # Eq. 16: -log tau(p)
    j = min(math.floor(p * m), m - 1)
    a, b = max(tau_slope[j], 0.01), tau_bias[j]
    value = a * p + b
    least = 0.1 * a * p if floor == 'relative' else 0.01
    return Sample(-math.log(max(value, least)), cosine[y], p, i, j, value, least)


def naive_batch(
    x: np.ndarray, weight: np.ndarray, y: list, theta: Tensor, scale: float | None, floor: str
) -> list[Sample]:
    theta = theta.double().numpy()
    return [naive_sample(x[k], weight, y[k], theta, scale, floor) for k in range(len(x))]


def distance_to_edge(position: float, m: int) -> float:
    """How far a position, counted in intervals, is from the nearest inner edge."""
    return min((abs(position - i) for i in range(1, m)), default=INF)


def decided(sample: Sample, m: int, cosine: float, probability: float, floor: float) -> bool:
    """Whether a sample is farther from t's edges, tau's edges and the floor's kink than that."""
    return (
        distance_to_edge((sample.cosine + 1) / 2 * m, m) > cosine * m / 2
        and distance_to_edge(sample.probability * m, m) > probability * m
        and abs(sample.value - sample.least) > floor * max(sample.value, sample.least)
    )


def make_theta(kind: str, seed: int, num_intervals: int = 6) -> Tensor:
    random = torch.Generator().manual_seed(1000 + seed)
    identity = SearchSpace(num_intervals).identity()
    if kind == 'identity':
        return identity
    if kind == 'small slopes':  # many of them below the clamp of 0.01
        parts = SearchSpace(num_intervals).split(identity)
        parts.t_slope.uniform_(-0.5, 1.5, generator=random)
        parts.tau_slope.uniform_(-1, 1, generator=random)
        parts.t_bias.uniform_(-0.2, 0.2, generator=random)
        parts.tau_bias.uniform_(-0.1, 0.5, generator=random)
        return identity
    return identity + float(kind) * torch.randn(len(identity), generator=random)


def make_problem(
    num_classes: int, seed: int, n: int = 64, d: int = 16
) -> tuple[Tensor, Tensor, list]:
    """Features (n, d), weights (C, d) and labels. The target's cosine is uniform on [-1, 1], and
    lengths go up to 20, so that a plain head's probabilities reach 0 and 1."""
    random = torch.Generator().manual_seed(seed)
    weight = 0.4 * torch.randn(num_classes, d, generator=random)
    y = torch.randint(num_classes, (n,), generator=random)
    along = F.normalize(weight[y])
    across = torch.randn(n, d, generator=random)
    across = F.normalize(across - (across * along).sum(1, keepdim=True) * along)
    cosine = 2 * torch.rand(n, 1, generator=random) - 1
    length = 20 * torch.rand(n, 1, generator=random)
    return length * (cosine * along + (1 - cosine**2).sqrt() * across), weight, y.tolist()


def make_head(weight: Tensor, theta: Tensor | None = None, **options) -> AMLFSHead:
    head = AMLFSHead(*weight.shape, **options)
    with torch.no_grad():
        head.fc.weight.copy_(weight)
    if theta is not None:
        head.set_theta(theta)
    return head


def labels(y: list) -> list[DataSample]:
    return [DataSample().set_gt_label(k) for k in y]


def losses_of(head: AMLFSHead, x: Tensor, y: list) -> np.ndarray:
    """The head's loss of each sample."""
    with torch.no_grad():
        return head.per_sample_loss(head((x,)), x, torch.tensor(y)).double().numpy()


# The loss, Eq. 4, 16, 17


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


# Its gradients


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


# Extremes: everything stays finite


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


# Inference and theta


@pytest.mark.parametrize('scale', [None, 30.0])
@pytest.mark.parametrize('training', [True, False])
def test_logits_and_predictions_never_depend_on_theta(scale, training):
    x, weight, y = make_problem(10, seed=2)
    head = make_head(weight, scale=scale).train(training)
    logits = head((x,))
    scores = torch.stack([s.pred_score for s in head.predict((x,), labels(y))])
    loss = head.loss((x,), labels(y))['loss']
    for seed in range(3):
        head.set_theta(make_theta('0.5', seed))
        assert torch.equal(head((x,)), logits)
        again = head.predict((x,), labels(y))
        assert torch.equal(torch.stack([s.pred_score for s in again]), scores)
        assert [s.pred_label.item() for s in again] == logits.argmax(1).tolist()
        assert not torch.equal(head.loss((x,), labels(y))['loss'], loss)
    torch.testing.assert_close(scores, logits.softmax(1))


@pytest.mark.parametrize('scale', [14.0, 64.0])
def test_normalised_logits_are_mmpretrains(scale):
    x, weight, _ = make_problem(10, seed=2)
    peer = ArcFaceClsHead(10, 16, scale=scale)
    peer.norm_product.weight.data.copy_(weight)
    torch.testing.assert_close(make_head(weight, scale=scale)((x,)), peer((x,)))


def test_plain_logits_are_mmpretrains():
    x, weight, _ = make_problem(10, seed=2)
    peer = LinearClsHead(10, 16)
    peer.fc.weight.data.copy_(weight)
    peer.fc.bias.data.zero_()
    torch.testing.assert_close(make_head(weight)((x,)), peer((x,)))


def test_features_may_be_a_tuple_of_stages_or_a_tensor():
    x, weight, y = make_problem(10, seed=2)
    head = make_head(weight)
    early = torch.zeros(len(x), 3)
    assert torch.equal(head((early, x)), head(x))
    assert torch.equal(head.loss((early, x), labels(y))['loss'], head.loss(x, labels(y))['loss'])
    assert head.pre_logits((early, x)) is x


def test_theta_is_saved_and_loaded():
    theta = make_theta('0.5', 0)
    head = AMLFSHead(10, 4)
    head.set_theta(theta)
    state = head.state_dict()
    assert set(state) == {'fc.weight', 'theta'}
    assert torch.equal(state['theta'], theta)
    other = AMLFSHead(10, 4)
    other.load_state_dict(state)
    assert torch.equal(other.theta, theta)
    assert 'theta' not in dict(other.named_parameters())
    theta[:] = 0  # a copy was installed
    assert head.theta.abs().sum() > 0


WAYS_TO_CHANGE_THETA = dict(
    set_theta=lambda head, theta: head.set_theta(theta),
    written_in_place=lambda head, theta: head.theta.copy_(theta),  # as a hand-over does
    loaded=lambda head, theta: head.load_state_dict(head.state_dict() | dict(theta=theta)),
    another_tensor=lambda head, theta: head._buffers.update(theta=theta.clone()),
    cast=lambda head, theta: head.double().float().set_theta(theta),
)


@pytest.mark.parametrize('way', WAYS_TO_CHANGE_THETA)
@pytest.mark.parametrize(
    'copied', [None, copy.deepcopy, lambda head: pickle.loads(pickle.dumps(head))]
)
@pytest.mark.parametrize('writes', range(4))  # torch counts them, from another number in a copy
def test_the_loss_is_that_of_theta_however_it_was_changed(way, copied, writes):
    """Also in a copy of a head that has trained, and without effect on the original."""
    x, weight, y = make_problem(10, seed=0)
    first, second, third = (make_theta('0.5', seed) for seed in range(3))
    expected = [make_head(weight, t).loss(x, labels(y))['loss'] for t in (first, second, third)]
    original = make_head(weight, first)
    for _ in range(writes):
        original.set_theta(first)
    assert torch.equal(original.loss(x, labels(y))['loss'], expected[0])
    head = original if copied is None else copied(original)
    for theta, loss in zip((second, third, second), (*expected[1:], expected[1]), strict=True):
        WAYS_TO_CHANGE_THETA[way](head, theta)
        assert torch.equal(head.loss(x, labels(y))['loss'], loss)
    if copied is not None:
        assert torch.equal(original.loss(x, labels(y))['loss'], expected[0])


def test_theta_from_the_config(tmp_path):
    """A known loss or a file; a checkpoint's theta gives way to it, its weights do not."""
    known = AMLFSHead(5, 4, theta=dict(name='am_softmax', m=0.35))
    assert torch.equal(known.theta, SearchSpace(6).known_loss('am_softmax', m=0.35))
    path = tmp_path / 'loss.json'
    theta = SearchSpace(3).known_loss('focal', alpha=1)
    path.write_text(json.dumps(dict(search_space=repr(SearchSpace(3)), theta=theta.tolist())))
    head = AMLFSHead(5, 4, num_intervals=3, theta=str(path))
    assert torch.equal(head.theta, theta)
    saved = AMLFSHead(5, 4, num_intervals=3).state_dict()
    head.load_state_dict(saved)
    assert torch.equal(head.theta, theta)
    assert torch.equal(head.fc.weight, saved['fc.weight'])
    assert torch.equal(saved['theta'], SearchSpace(3).identity())
    with pytest.raises(ValueError, match=r'loss\.json is a loss of SearchSpace\(num_intervals=3\)'):
        AMLFSHead(5, 4, theta=str(path))


def test_a_search_refuses_a_theta_from_the_config():
    head = AMLFSHead(5, 4, theta='softmax')
    with pytest.raises(ValueError, match=r'a theta, which .* remove it.*mu_0'):
        find_heads(nn.ModuleDict(dict(head=head)))


@pytest.mark.parametrize('shape', [(16,), (23,), (25,), (1, 24), (4, 6)])
def test_set_theta_refuses_another_length_and_changes_nothing(shape):
    head = AMLFSHead(10, 4)
    head.loss((torch.randn(5, 4),), labels([0] * 5))
    with pytest.raises(ValueError, match=r'needs \(24,\)') as e:
        head.set_theta(torch.zeros(shape))
    assert str(tuple(shape)) in str(e.value)
    assert torch.equal(head.theta, make_theta('identity', 0))
    assert head.t_count.sum() == 5


@pytest.mark.parametrize('strict', [True, False])
@pytest.mark.parametrize('inside', [False, True])
def test_a_checkpoint_of_another_num_intervals_is_refused(inside, strict):
    saved, head = AMLFSHead(10, 4, num_intervals=4), AMLFSHead(10, 4, num_intervals=6)
    if inside:
        saved, head = nn.ModuleDict(dict(head=saved)), nn.ModuleDict(dict(head=head))
    with pytest.raises(ValueError, match='num_intervals') as e:
        head.load_state_dict(saved.state_dict(), strict=strict)
    assert '16 numbers' in str(e.value)
    assert 'SearchSpace(num_intervals=6) needs 24' in str(e.value)


def test_a_checkpoint_of_a_linear_head_keeps_theta():
    theta, weight = make_theta('0.5', 0), torch.randn(10, 4)
    head = AMLFSHead(10, 4)
    head.set_theta(theta)
    missing = head.load_state_dict({'fc.weight': weight}, strict=False).missing_keys
    assert missing == ['theta']
    assert torch.equal(head.theta, theta)
    assert torch.equal(head.fc.weight, weight)


# Interval counts


@pytest.mark.parametrize('scale', [None, 30.0])
def test_interval_counts_are_a_histogram_of_training(scale):
    theta = make_theta('0.5', 7)
    all_x, weight, all_y = make_problem(10, seed=0, n=400)
    head = make_head(weight, theta, scale=scale)
    t_count, tau_count = np.zeros(6, int), np.zeros(6, int)
    for batch in (slice(0, 200), slice(200, 400)):
        x, y = all_x[batch], all_y[batch]
        samples = naive_batch(
            x.double().numpy(), weight.double().numpy(), y, theta, scale, 'relative'
        )
        assert all(decided(s, 6, cosine=1e-6, probability=2e-6, floor=0) for s in samples)
        for s in samples:
            t_count[s.t_interval] += 1
            tau_count[s.tau_interval] += 1
        head.train()
        head.loss((x,), labels(y))
        assert head.t_count.tolist() == t_count.tolist()
        assert head.tau_count.tolist() == tau_count.tolist()

        head((x,))
        head.predict((x,), labels(y))
        head.eval()
        head.loss((x,), labels(y))
        assert head.t_count.tolist() == t_count.tolist()
        assert head.tau_count.tolist() == tau_count.tolist()
    assert t_count.sum() == tau_count.sum() == 400
    assert (tau_count > 0).all()
    assert (t_count > 0).all()

    head.set_theta(theta)
    assert head.t_count.tolist() == head.tau_count.tolist() == [0] * 6
    head.train().loss((x,), labels(y))
    assert head.t_count.sum() == 200


# Known losses as points of the space


@pytest.mark.parametrize('scale', SCALES)
def test_am_softmax_is_its_formula(scale):
    """Wang et al. 2018: the target's logit is n (cos - m), n = s or |W_y| |x|."""
    m = 0.35
    x, weight, y = make_problem(10, seed=8)
    theta = SearchSpace().known_loss('am_softmax', m=m)
    feats = x.clone().requires_grad_()
    head = make_head(weight, theta, scale=scale)
    ours = head.loss((feats,), labels(y))['loss']
    our_gradient = torch.autograd.grad(ours, feats)[0]

    cosine = F.linear(F.normalize(feats), F.normalize(weight))
    margin = m * F.one_hot(torch.tensor(y), 10)
    if scale is None:
        n = feats.norm(dim=1, keepdim=True) * weight.norm(dim=1)
    else:
        n = torch.full_like(cosine, scale)
    plain = F.cross_entropy(n * (cosine - margin), torch.tensor(y))
    gradient = torch.autograd.grad(plain, feats)[0]
    assert abs(ours.item() - plain.item()) <= 1e-5 * max(1, plain.item())
    assert (our_gradient - gradient).abs().max() <= 1e-5 * max(1, gradient.abs().max().item())


@pytest.mark.parametrize('scale', [14.0, 30.0, 64.0])
def test_arcface_is_near_mmpretrains(scale):
    """|t - exact| <= 0.062, so a target's logit is off by 0.062 s at most, and so is the loss (its
    slope in the target's logit is p - 1)."""
    x, weight, y = make_problem(10, seed=9, n=200)
    head = make_head(weight, SearchSpace().known_loss('arcface', m=0.5), scale=scale)
    peer = ArcFaceClsHead(10, 16, scale=scale, margins=0.5)
    peer.norm_product.weight.data.copy_(weight)
    target = torch.tensor(y)
    theirs = F.cross_entropy(peer((x,), target), target, reduction='none').detach().numpy()
    cosine = F.cosine_similarity(x, weight[target]).numpy()
    formula = cosine > math.cos(math.pi - 0.5)  # the peer leaves it below
    assert formula.sum() > 150
    error = np.abs(losses_of(head, x, y) - theirs)[formula]
    assert error.max() <= 0.062 * scale
    assert error.max() > 0.01 * scale  # it is an approximation; plain softmax is farther off:
    plain = losses_of(make_head(weight, scale=scale), x, y)
    assert np.abs(plain - theirs)[formula].max() > 0.3 * scale


@pytest.mark.parametrize('alpha', [1, 2])
def test_focal_is_near_its_formula_for_easy_samples(alpha):
    """tau is within 0.016 of p^((1 - p)^alpha), which is above 1/6 where p is: log within 0.1."""
    x, weight, y = make_problem(10, seed=10, n=200)
    head = make_head(weight, SearchSpace().known_loss('focal', alpha=alpha))
    p = head((x,)).softmax(1).detach().double().numpy()[range(200), y]
    easy = p > 1 / 6
    assert 50 < easy.sum() < 200
    focal = -((1 - p) ** alpha) * np.log(p)
    error = np.abs(losses_of(head, x, y) - focal)[easy]
    assert error.max() <= 0.1
    assert np.abs(-np.log(p) - focal)[easy].max() > 0.3


# The component


def test_it_replaces_a_head_by_its_type():
    head = MODELS.build(
        dict(
            type='amlfs_mm.AMLFSHead',
            num_classes=10,
            in_channels=4,
            loss=dict(type='CrossEntropyLoss', loss_weight=2.5),
            topk=(1, 5),
            cal_acc=True,
        )
    )
    assert isinstance(head, AMLFSHead)
    assert head.search_space.num_intervals == 6
    assert head.fc.bias is None
    random = torch.Generator().manual_seed(0)
    x, y = torch.rand(8, 4, generator=random), [0, 1, 2, 3, 4, 5, 6, 7]
    head.fc.weight.data.copy_(torch.rand(10, 4, generator=random))
    losses = head.loss((x,), labels(y))
    assert list(losses) == ['loss', 'accuracy_top-1', 'accuracy_top-5']
    logits, target = head((x,)), torch.tensor(y)
    expected = 2.5 * F.cross_entropy(logits, target).item()
    assert losses['loss'].item() == pytest.approx(expected, rel=1e-5)
    ranks = (logits > logits.gather(1, target[:, None])).sum(1)
    for k in (1, 5):
        top = 100 * (ranks < k).float().mean().item()
        assert losses[f'accuracy_top-{k}'][0].item() == pytest.approx(top)


def test_the_training_accuracy_is_of_the_untransformed_logits():
    """x = 2 e1 of class 0: right by cos = 1, though t(1) = -5 makes its transformed logit last."""
    theta = make_theta('identity', 0)
    theta[6:12] = -6.0
    head = make_head(torch.eye(3), theta, cal_acc=True)
    losses = head.loss((torch.tensor([[2.0, 0.0, 0.0]]),), labels([0]))
    assert losses['accuracy_top-1'][0].item() == 100
    assert losses['loss'].item() == pytest.approx(10 + math.log(2 + math.exp(-10)), rel=1e-5)


def test_the_training_accuracy_of_negative_logits():
    """x = -e1: logits -1 for the target, -2 and -3 for the others: right, though below zero."""
    weight = torch.tensor([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    head = make_head(weight, cal_acc=True)
    losses = head.loss((torch.tensor([[-1.0, 0.0]]),), labels([0]))
    assert losses['accuracy_top-1'][0].item() == 100


def test_another_search_space():
    head = AMLFSHead(10, 4, search_space=dict(type='amlfs_mm.SearchSpace', num_intervals=3))
    assert head.theta.tolist() == [1.0] * 3 + [0.0] * 3 + [1.0] * 3 + [0.0] * 3
    assert len(head.t_count) == len(head.tau_count) == 3


@pytest.mark.parametrize(
    'loss',
    [
        dict(type='LabelSmoothLoss', label_smooth_val=0.1),
        dict(type='CrossEntropyLoss', use_soft=True),
        dict(type='CrossEntropyLoss', class_weight=[1.0] * 10),
        dict(type='FocalLoss'),
        dict(),
    ],
)
def test_another_loss_than_plain_cross_entropy_is_refused(loss):
    with pytest.raises(ValueError, match='CrossEntropyLoss'):
        AMLFSHead(10, 4, loss=loss)


@pytest.mark.parametrize(
    ('options', 'says'),
    [
        (dict(num_classes=1), 'num_classes'),
        (dict(num_classes=0), 'num_classes'),
        (dict(num_classes=-3), 'num_classes'),
        (dict(in_channels=0), 'in_channels'),
        (dict(scale=0), 'scale'),
        (dict(scale=0.0), 'scale'),
        (dict(scale=-14.0), 'scale'),
        (dict(scale=INF), 'scale'),
        (dict(scale=NAN), 'scale'),
        (dict(tau_floor='none'), 'tau_floor'),
        (dict(tau_floor=None), 'tau_floor'),
        (dict(tau_floor=0.01), 'tau_floor'),
        (dict(min_slope=0.0), 'min_slope'),
        (dict(min_slope=-0.1), 'min_slope'),
        (dict(min_slope=NAN), 'min_slope'),
        (dict(num_intervals=0), 'num_intervals'),
    ],
)
def test_wrong_options_are_refused_by_name(options, says):
    with pytest.raises(ValueError, match=says):
        AMLFSHead(**{**dict(num_classes=10, in_channels=4), **options})


def test_soft_labels_are_refused():
    """Mixup and CutMix set gt_score beside gt_label."""
    head = AMLFSHead(3, 4)
    samples = labels([0, 1])
    for sample in samples:
        sample.set_gt_score(torch.tensor([0.5, 0.5, 0.0]))
    with pytest.raises(ValueError, match=r'soft labels.*Mixup'):
        head.loss((torch.randn(2, 4),), samples)
