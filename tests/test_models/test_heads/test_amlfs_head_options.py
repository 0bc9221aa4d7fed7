"""AMLFSHead as a component: built by its type, its options, what it refuses."""

import math

import pytest
import torch
import torch.nn.functional as F
from helpers.searched_head import INF, NAN, labels, make_head, make_theta
from mmengine.model import NormalInit
from mmpretrain.models.losses import CrossEntropyLoss, LabelSmoothLoss
from mmpretrain.registry import MODELS

import amlfs_mm  # noqa: F401
from amlfs_mm.models import AMLFSHead, SoftmaxHead


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


@pytest.mark.parametrize(
    'kind',
    [
        'CrossEntropyLoss',
        'mmpretrain.CrossEntropyLoss',
        'mmpretrain.models.losses.CrossEntropyLoss',
        CrossEntropyLoss,
    ],
)
def test_a_loss_by_its_name_or_as_the_class(kind):
    """New-style configs hold the class itself."""
    assert AMLFSHead(10, 4, loss=dict(type=kind, loss_weight=0.5)).loss_weight == 0.5
    assert SoftmaxHead(10, 4, sharded=True, loss=dict(type=kind)).loss_module.loss_weight == 1
    init_cfg = dict(type=NormalInit, layer='Linear', std=0.5)
    assert AMLFSHead(10, 4, sharded=True, init_cfg=init_cfg).fc.std == 0.5
    with pytest.raises(ValueError, match='CrossEntropyLoss'):
        AMLFSHead(10, 4, loss=dict(type=LabelSmoothLoss, label_smooth_val=0.1))


def test_soft_labels_are_refused():
    """Mixup and CutMix set gt_score beside gt_label."""
    head = AMLFSHead(3, 4)
    samples = labels([0, 1])
    for sample in samples:
        sample.set_gt_score(torch.tensor([0.5, 0.5, 0.0]))
    with pytest.raises(ValueError, match=r'soft labels.*Mixup'):
        head.loss((torch.randn(2, 4),), samples)
