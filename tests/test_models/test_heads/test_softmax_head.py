"""SoftmaxHead against AMLFSHead at the identity, mmpretrain's heads, and the margins' formulas."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmpretrain.models.heads import ArcFaceClsHead
from mmpretrain.structures import DataSample

from amlfs_mm.models import AMLFSHead, SoftmaxHead
from amlfs_mm.search import SearchSpace


def labels(targets: list[int]) -> list[DataSample]:
    return [DataSample().set_gt_label(target) for target in targets]


def pair(scale: float | None, theta: torch.Tensor, **options) -> tuple[AMLFSHead, SoftmaxHead]:
    torch.manual_seed(0)
    searched, plain = AMLFSHead(7, 5, scale=scale), SoftmaxHead(7, 5, scale=scale, **options)
    searched.fc.weight.data.normal_()
    plain.load_state_dict({'fc.weight': searched.fc.weight})
    searched.set_theta(theta)
    return searched, plain


@pytest.mark.parametrize(
    ('scale', 'margin'),
    [(None, 0.0), (14.0, 0.0), ('feature', 0.0), (15.0, 0.3), (30.0, 0.35), ('feature', 0.35)],
)
def test_equals_the_searched_head(scale: float | str | None, margin: float):
    space = SearchSpace()
    theta = space.known_loss('am_softmax', m=margin) if margin else space.identity()
    searched, plain = pair(scale, theta, margin=margin)
    x = torch.randn(9, 5)
    target = labels([0, 1, 2, 3, 4, 5, 6, 0, 1])
    gradients = []
    for head in (searched, plain):
        feature = x.clone().requires_grad_()
        loss = head.loss((feature,), target)['loss']
        loss.backward()
        gradients.append((loss.detach(), feature.grad, head.fc.weight.grad))
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(plain((x,)), searched((x,)))


def test_is_mmpretrains_cosine_classifier():
    plain = SoftmaxHead(7, 5, scale=14.0)
    peer = ArcFaceClsHead(7, 5, scale=14.0)
    peer.norm_product.weight.data.copy_(plain.fc.weight)
    x = torch.randn(3, 5)
    torch.testing.assert_close(plain((x,)), peer((x,)))


def test_the_margin_is_in_the_loss_alone():
    plain = SoftmaxHead(3, 3, scale=10.0, margin=0.5, cal_acc=True)
    plain.fc.weight.data.copy_(torch.eye(3))
    x = torch.tensor([[1.0, 0.0, 0.0]])
    assert plain((x,)).tolist() == [[10.0, 0.0, 0.0]]
    expected = F.cross_entropy(torch.tensor([[5.0, 0.0, 0.0]]), torch.tensor([0]))
    assert plain.loss((x,), labels([0]))['loss'].item() == pytest.approx(expected.item())


def naive_loss(x: np.ndarray, weight: np.ndarray, y: list[int], t, scale: float | None) -> float:
    """Cross entropy of n cos(theta_j), with n t(cos(theta_y)) for the target; n is s or |x|."""
    losses = []
    for row, label in zip(x, y, strict=True):
        cosine = weight @ row / (np.linalg.norm(weight, axis=1) * np.linalg.norm(row))
        n = np.linalg.norm(row) if scale is None else scale
        logits = n * cosine
        logits[label] = n * t(cosine[label])
        losses.append(math.log(np.exp(logits - logits[label]).sum()))
    return float(np.mean(losses))


def arcface(cosine: float) -> float:
    return math.cos(math.acos(cosine) + 0.5)


def a_softmax(cosine: float, annealing: float) -> float:
    angle = math.acos(cosine)
    k = math.floor(4 * angle / math.pi)
    return (annealing * cosine + (-1) ** k * math.cos(4 * angle) - 2 * k) / (1 + annealing)


@pytest.mark.parametrize(
    ('margin', 't', 'scale'),
    [
        (dict(type='amlfs_mm.AMSoftmaxMargin', m=0.35), lambda c: c - 0.35, 30.0),
        (dict(type='amlfs_mm.ArcFaceMargin', m=0.5), arcface, 64.0),
        (dict(type='amlfs_mm.ASoftmaxMargin', m=4), lambda c: a_softmax(c, 1000 / 1.12), 'feature'),
        (dict(type='amlfs_mm.ASoftmaxMargin', start=0), lambda c: a_softmax(c, 5), 'feature'),
    ],
)
def test_margins_are_their_formulas(margin: dict, t, scale: float | str):
    """Loss in float64, and its gradient by differences, of the head as a config builds it."""
    torch.manual_seed(0)
    head = SoftmaxHead(5, 4, scale=scale, margin=margin).double()
    head.fc.weight.data.normal_()
    x = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    y = [0, 1, 2, 3, 4, 0]
    loss = head.loss((x,), labels(y))['loss']
    s = None if scale == 'feature' else scale
    weight, features = head.fc.weight.detach().numpy(), x.detach().numpy()
    assert loss.item() == pytest.approx(naive_loss(features, weight, y, t, s), rel=1e-9)
    loss.backward()
    for place in [(0, 0), (2, 1), (5, 3)]:
        ends = []
        for step in (1e-6, -1e-6):
            moved = features.copy()
            moved[place] += step
            ends.append(naive_loss(moved, weight, y, t, s))
        slope = (ends[0] - ends[1]) / 2e-6
        assert x.grad[place].item() == pytest.approx(slope, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize('sign', [1, -1])
@pytest.mark.parametrize('kind', ['AMSoftmaxMargin', 'ArcFaceMargin', 'ASoftmaxMargin'])
def test_gradients_are_finite_at_cosines_of_1_and_minus_1(kind: str, sign: int):
    """A feature on its class weight, or opposite to it; mmpretrain's ArcFace has NaN there."""
    scale = 'feature' if kind == 'ASoftmaxMargin' else 30.0
    head = SoftmaxHead(3, 4, scale=scale, margin=dict(type=f'amlfs_mm.{kind}'))
    head.fc.weight.data.copy_(torch.eye(3, 4))
    x = (3 * sign * torch.eye(3, 4)).requires_grad_()
    head.loss((x,), labels([0, 1, 2]))['loss'].backward()
    assert torch.isfinite(x.grad).all()
    assert torch.isfinite(head.fc.weight.grad).all()


def test_the_annealing_is_saved_with_the_head():
    head = SoftmaxHead(3, 4, scale='feature', margin=dict(type='amlfs_mm.ASoftmaxMargin'))
    for _ in range(3):
        head.loss((torch.randn(2, 4),), labels([0, 1]))
    assert head.state_dict()['margin.iteration'].item() == 3


def test_soft_labels_and_a_margin_are_refused():
    head = SoftmaxHead(3, 4, scale=30.0, margin=0.35)
    sample = DataSample().set_gt_score(torch.tensor([0.5, 0.5, 0.0]))
    with pytest.raises(ValueError, match='SoftmaxHead needs one class a sample'):
        head.loss((torch.randn(1, 4),), [sample])


@pytest.mark.parametrize(
    ('options', 'says'),
    [(dict(scale=0.0), 'scale'), (dict(scale=-1.0), 'scale'), (dict(margin=0.3), 'give a scale')],
)
def test_bad_options(options: dict, says: str):
    with pytest.raises(ValueError, match=says):
        SoftmaxHead(3, 4, **options)
