"""L2TDLFHead: a linear classifier whose loss has coefficients from outside."""

from __future__ import annotations

import pytest
import torch
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.structures import DataSample

from amlfs_mm.models import L2TDLFHead
from amlfs_mm.models.losses import l2t_dlf_loss


def labels(targets: list[int]) -> list[DataSample]:
    return [DataSample().set_gt_label(target) for target in targets]


def test_starts_and_predicts_as_mmpretrains_linear_head():
    heads = []
    for kind in (L2TDLFHead, LinearClsHead):
        torch.manual_seed(0)
        head = kind(num_classes=4, in_channels=3)
        head.init_weights()
        heads.append(head)
    ours, plain = heads
    ours.set_phi(torch.randn(4, 5))
    assert torch.equal(ours.fc.weight, plain.fc.weight)
    x = (torch.randn(6, 3),)
    assert torch.equal(ours(x), plain(x))
    for one, other in zip(ours.predict(x), plain.predict(x), strict=True):
        assert torch.equal(one.pred_score, other.pred_score)


def test_loss_is_the_mean_with_its_weight():
    head = L2TDLFHead(4, 3, bias=0.5, loss=dict(type='CrossEntropyLoss', loss_weight=2.0))
    head.fc.weight.data.normal_()
    x, targets = torch.randn(6, 3), [0, 1, 2, 3, 0, 1]
    phi = torch.cat([torch.eye(4), torch.full((4, 1), 0.5)], 1)
    wanted = 2 * l2t_dlf_loss(head((x,)), torch.tensor(targets), phi).mean()
    torch.testing.assert_close(head.loss((x,), labels(targets))['loss'], wanted)


def test_training_accuracy_is_that_since_it_was_taken():
    head = L2TDLFHead(2, 2, cal_acc=True)
    head.fc.weight.data.copy_(torch.eye(2))
    x = (torch.eye(2)[[0, 1, 0, 1]],)
    assert head.take_training_accuracy() == 0
    assert head.loss(x, labels([0, 1, 1, 1]))['accuracy_top-1'] == 75
    head.loss(x, labels([0, 1, 0, 1]))
    assert head.take_training_accuracy() == 7 / 8
    head.eval()
    head.loss(x, labels([0, 1, 0, 1]))
    assert head.take_training_accuracy() == 0


def test_phi_is_saved_with_the_model_and_counts_are_not():
    assert set(L2TDLFHead(3, 2).state_dict()) == {'phi', 'fc.weight', 'fc.bias'}


def test_bad_options():
    with pytest.raises(ValueError, match='num_classes must be >= 2'):
        L2TDLFHead(1, 3)
    with pytest.raises(ValueError, match='L2TDLFHead replaces plain cross entropy'):
        L2TDLFHead(4, 3, loss=dict(type='LabelSmoothLoss'))
    with pytest.raises(ValueError, match=r'phi has shape \(4, 4\), but 4 classes need \(4, 5\)'):
        L2TDLFHead(4, 3).set_phi(torch.eye(4))


def test_bad_batches():
    head = L2TDLFHead(4, 3)
    with pytest.raises(ValueError, match='L2TDLFHead needs one class a sample'):
        head.loss((torch.randn(1, 3),), [DataSample().set_gt_score(torch.full((4,), 0.25))])
    with pytest.raises(ValueError, match='has the label 4, but L2TDLFHead has num_classes=4'):
        head.loss((torch.randn(1, 3),), labels([4]))
    with pytest.raises(ValueError, match='gives features of 5 numbers'):
        head.loss((torch.randn(1, 5),), labels([0]))
