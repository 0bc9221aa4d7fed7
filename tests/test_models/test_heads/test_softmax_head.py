"""SoftmaxHead against AMLFSHead at the identity, mmpretrain's heads, and AM-softmax's formula."""

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


@pytest.mark.parametrize(('scale', 'margin'), [(None, 0.0), (14.0, 0.0), (15.0, 0.3), (30.0, 0.35)])
def test_equals_the_searched_head(scale: float | None, margin: float):
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


@pytest.mark.parametrize(
    ('options', 'says'),
    [(dict(scale=0.0), 'scale'), (dict(scale=-1.0), 'scale'), (dict(margin=0.3), 'give a scale')],
)
def test_bad_options(options: dict, says: str):
    with pytest.raises(ValueError, match=says):
        SoftmaxHead(3, 4, **options)
