"""SFT's loss is the classifier's on the features plus that on their transform."""

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample

from amlfs_mm.models import AMLFSHead, SFTHead
from amlfs_mm.models.losses import spectral_feature_transform


def make(kind: str = 'SoftmaxHead', **options) -> SFTHead:
    torch.manual_seed(0)
    classifier = dict(type=f'amlfs_mm.{kind}', scale=15.0, **options)
    return SFTHead(6, 4, num_classes=5, classifier=classifier, temperature=0.1)


def batch() -> tuple[torch.Tensor, list[DataSample]]:
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(8, 6, generator=draw)
    return x, [DataSample().set_gt_label(i % 5) for i in range(8)]


def test_the_sum_of_two_means():
    head, (x, samples) = make(margin=0.3), batch()
    losses = head.loss((x,), samples)
    assert list(losses) == ['loss_original', 'loss_transformed']
    # The published code: one batch of both, labels repeated, sum over it / its half.
    both = head.reduction(torch.cat([x, spectral_feature_transform(x, 0.1)]))
    target = torch.tensor([i % 5 for i in range(8)] * 2)
    cosine = F.linear(F.normalize(both), F.normalize(head.classifier.fc.weight))
    logits = 15 * (cosine - 0.3 * F.one_hot(target, 5))
    expected = F.cross_entropy(logits, target, reduction='sum') / 8
    assert sum(losses.values()).item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_test_feature_is_the_pooled_one():
    head, (x, _) = make(), batch()
    assert head.pre_logits((x,)) is x
    assert head((x,)).shape == (8, 5)


def test_one_searched_loss_for_both_streams():
    head, plain, (x, samples) = make('AMLFSHead'), make(), batch()
    plain.load_state_dict(head.state_dict(), strict=False)
    ours, theirs = head.loss((x,), samples), plain.loss((x,), samples)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=0)
    assert [type(m) for m in head.modules() if hasattr(m, 'set_theta')] == [AMLFSHead]
    assert head.classifier.t_count.sum() == 16  # both streams are counted


def test_a_known_loss_is_that_of_the_hand_made_head():
    head, plain = make('AMLFSHead', theta=dict(name='am_softmax', m=0.3)), make(margin=0.3)
    x, samples = batch()
    plain.load_state_dict(head.state_dict(), strict=False)
    ours, theirs = head.loss((x,), samples), plain.loss((x,), samples)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=0)


def test_the_transform_has_a_gradient_through_the_batch():
    head, (x, samples) = make(), batch()
    x.requires_grad_()
    head.eval()  # batch statistics would connect the samples as well
    head.loss((x,), samples)['loss_transformed'].backward()
    assert (x.grad != 0).all()


def test_temperature():
    with pytest.raises(ValueError, match='temperature must be above 0, got 0'):
        SFTHead(6, 4, 5, dict(type='amlfs_mm.SoftmaxHead'), temperature=0)
