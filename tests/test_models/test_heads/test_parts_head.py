"""One classifier for each part: the loss is their sum, a search gives all of them one theta."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor

from amlfs_mm.engine.searched_heads import find_heads
from amlfs_mm.models import PartsHead

SAMPLES = [DataSample().set_gt_label(i) for i in (0, 2, 1, 2)]


def parts(count: int = 3) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(4, 5, generator=generator) for _ in range(count))


def build(classifier: str = 'SoftmaxHead') -> PartsHead:
    config = dict(type='amlfs_mm.PartsHead', num_classes=3, in_channels=5, num_parts=3)
    return MODELS.build(config | dict(classifier=dict(type=f'amlfs_mm.{classifier}')))


def test_the_loss_is_the_sum_of_plain_softmax_losses():
    head, feats = build().double(), tuple(part.double() for part in parts())
    losses = head.loss(feats, SAMPLES)
    assert list(losses) == ['loss_part_0', 'loss_part_1', 'loss_part_2']
    target = torch.tensor([0, 2, 1, 2])
    for i, loss in enumerate(losses.values()):
        weight = head.classifiers[i].fc.weight
        torch.testing.assert_close(loss, F.cross_entropy(feats[i] @ weight.T, target))
        torch.testing.assert_close(head(feats)[i], feats[i] @ weight.T)
    weights = [classifier.fc.weight for classifier in head.classifiers]
    assert len({weight.data_ptr() for weight in weights}) == 3


def test_all_classifiers_have_the_theta_of_a_search():
    head = build('AMLFSHead')
    model = torch.nn.Sequential(head)
    heads = find_heads(model)
    assert len(heads) == 3
    before = head.loss(parts(), SAMPLES)
    theta = torch.full_like(heads[0].theta, 0.5)
    for searched in heads:
        searched.set_theta(theta)
    after = head.loss(parts(), SAMPLES)
    assert all(before[key] != after[key] for key in before)


def test_the_test_feature_is_what_the_backbone_gives():
    head, feature = build(), torch.randn(4, 12)
    torch.testing.assert_close(head.pre_logits((feature,)), feature)
    with pytest.raises(ValueError, match='needs the features of 3 parts, but the backbone'):
        head((feature,))


@pytest.mark.parametrize('feats', [parts(2), parts()[0], dict(a=1)])
def test_other_features(feats):
    with pytest.raises(ValueError, match=r'features of 3 parts.*parts=True'):
        build().loss(feats, SAMPLES)
