"""EmbeddingClassifier: features out, flip averaging, everything else as in ImageClassifier."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from amlfs_mm.models import EmbeddingClassifier, EmbeddingNeck


def make(**options) -> EmbeddingClassifier:
    torch.manual_seed(0)
    backbone = dict(type='ResNet', depth=18, stem_channels=4, base_channels=4)
    neck = dict(type='amlfs_mm.EmbeddingNeck', in_channels=32, out_channels=6)
    head = dict(type='amlfs_mm.SoftmaxHead', num_classes=3, in_channels=6, scale=14.0)
    model = dict(type='amlfs_mm.EmbeddingClassifier', backbone=backbone, neck=neck, head=head)
    return MODELS.build(dict(model, **options))


def test_features():
    model = make().eval()
    x = torch.randn(2, 3, 32, 16)
    features = model(x)
    assert features.shape == (2, 6)
    torch.testing.assert_close(features, model.neck(model.backbone(x))[0])
    samples = [DataSample(metainfo=dict(person_id=i)) for i in range(2)]
    predicted = model(x, samples, mode='predict')
    assert [sample.person_id for sample in predicted] == [0, 1]
    assert torch.equal(torch.stack([sample.feature for sample in predicted]), features)
    assert torch.equal(torch.stack([sample.feature for sample in model.predict(x)]), features)


def test_flip_average():
    plain, averaged = make().eval(), make(flip='average').eval()
    averaged.load_state_dict(plain.state_dict())
    x = torch.randn(2, 3, 32, 16)
    torch.testing.assert_close(averaged(x), (plain(x) + plain(x.flip(3))) / 2)
    torch.testing.assert_close(averaged(x), averaged(x.flip(3)))


def test_flip_concatenate():
    plain, both = make().eval(), make(flip='concatenate').eval()
    both.load_state_dict(plain.state_dict())
    x = torch.randn(2, 3, 32, 16)
    torch.testing.assert_close(both(x), torch.cat([plain(x), plain(x.flip(3))], dim=1))
    with pytest.raises(ValueError, match='concat'):
        make(flip='concat')


def test_a_face_recogniser_has_no_neck():
    """Backbone, head; its feature is what the backbone gives."""
    backbone = dict(
        type='amlfs_mm.SphereFace20', input_size=(32, 16), out_channels=6, base_channels=2
    )
    head = dict(type='amlfs_mm.AMLFSHead', num_classes=3, in_channels=6, scale=30.0)
    model = dict(type='amlfs_mm.EmbeddingClassifier', backbone=backbone, head=head)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(model).eval()
    x = torch.randn(2, 3, 32, 16)
    torch.testing.assert_close(model(x), model.backbone(x)[0])
    assert model(x, mode='predict')[1].feature.shape == (6,)
    samples = [DataSample().set_gt_label(i) for i in range(2)]
    assert torch.isfinite(model(x, samples, mode='loss')['loss'])


def test_the_loss_is_the_heads():
    model = make()
    x = torch.randn(4, 3, 32, 16)
    samples = [DataSample().set_gt_label(i % 3) for i in range(4)]
    model.neck.layers[3].p = 0.0  # dropout would differ between two passes
    loss = model(x, samples, mode='loss')['loss']
    torch.testing.assert_close(loss, model.head.loss(model.extract_feat(x), samples)['loss'])


def test_embedding_neck():
    """Mean over the map, BN, dropout, linear, BN; in evaluation by running statistics."""
    neck = EmbeddingNeck(5, 4, dropout=0.5)
    for _ in range(3):
        neck((torch.randn(8, 5, 3, 2),))
    neck.eval()
    x = torch.randn(2, 5, 3, 2)
    _, _, first, _, linear, last = neck.layers
    pooled = (x.mean((2, 3)) - first.running_mean) / (first.running_var + first.eps).sqrt()
    y = F.linear(pooled, linear.weight, linear.bias)
    expected = (y - last.running_mean) / (last.running_var + last.eps).sqrt()
    torch.testing.assert_close(neck((torch.zeros(1), x))[0], expected)
    neck.train()
    torch.manual_seed(0)
    one = neck((x,))[0]
    assert not torch.equal(one, neck((x,))[0])  # dropout is on
