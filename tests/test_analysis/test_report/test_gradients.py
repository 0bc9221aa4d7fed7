"""The target's gradient of any head, against Eq. 8 and against finite differences."""

import pytest
import torch
import torch.nn.functional as F
from helpers.runs import TINY_SEARCH
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.models import ImageClassifier
from mmpretrain.structures import DataSample
from torch import nn

from amlfs_mm.analysis.report.gradients import collect_target_gradients
from amlfs_mm.search import SearchSpace

CLASSES, CHANNELS, SAMPLES = 4, 16, 12

HEADS = {
    'LinearClsHead': dict(type='LinearClsHead'),
    'softmax': dict(type='amlfs_mm.SoftmaxHead'),
    'sphere softmax': dict(type='amlfs_mm.SoftmaxHead', scale=8.0),
    'AM-softmax': dict(type='amlfs_mm.SoftmaxHead', scale=8.0, margin=0.3),
    'ArcFaceClsHead': dict(type='ArcFaceClsHead', scale=8.0, margins=0.3),
    'searched': dict(type='amlfs_mm.AMLFSHead'),
    'searched, normalised': dict(type='amlfs_mm.AMLFSHead', scale=8.0),
}


def build(head: dict) -> ImageClassifier:
    torch.manual_seed(0)
    backbone = Config.fromfile(TINY_SEARCH).model.backbone
    head = dict(head, num_classes=CLASSES, in_channels=CHANNELS)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        preprocessor = dict(type='ClsDataPreprocessor', num_classes=CLASSES)
        model = ImageClassifier(
            backbone, dict(type='GlobalAveragePooling'), head, data_preprocessor=preprocessor
        )
    if hasattr(model.head, 'set_theta'):
        model.head.set_theta(SearchSpace(6).known_loss('arcface', m=0.4))
    return model


def batches(count: int = 1) -> list[dict]:
    generator = torch.Generator().manual_seed(1)
    return [
        dict(
            inputs=list(torch.randn(SAMPLES, 3, 8, 8, generator=generator)),
            data_samples=[DataSample().set_gt_label(i % CLASSES) for i in range(SAMPLES)],
        )
        for _ in range(count)
    ]


def features_and_layer(model: ImageClassifier) -> tuple[torch.Tensor, nn.Linear]:
    model.train()
    with torch.no_grad():
        inputs = model.data_preprocessor(batches()[0], training=True)['inputs']
        features = model.extract_feat(inputs)[-1]
    return features, model.head.fc


@pytest.mark.parametrize('name', ['LinearClsHead', 'softmax', 'sphere softmax'])
def test_softmax_is_equation_8(name: str):
    """``1 - p_y`` for t the identity, times the norms outside the cosine."""
    model = build(HEADS[name])
    target = torch.arange(SAMPLES) % CLASSES
    features, layer = features_and_layer(model)
    cosine = F.normalize(features) @ F.normalize(layer.weight.detach()).T
    scale = HEADS[name].get('scale')
    probability = (layer(features).detach() if scale is None else scale * cosine).softmax(1)
    norms = features.norm(dim=1) * layer.weight.detach().norm(dim=1)[target]
    expected = (norms if scale is None else scale) * (1 - probability[range(SAMPLES), target])
    measured = collect_target_gradients(model, batches())
    torch.testing.assert_close(measured.gradient, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        measured.cosine, cosine[range(SAMPLES), target], rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize('name', HEADS)
def test_any_head_by_finite_differences(name: str):
    model = build(HEADS[name])
    measured = collect_target_gradients(model, batches())
    linear = F.linear
    target = torch.arange(SAMPLES) % CLASSES
    batch = model.data_preprocessor(batches()[0], training=True)

    def loss(sample: int, step: float) -> float:
        """The batch's loss after a change of one sample's target cosine."""

        def moved(x, weight, bias=None):
            out = linear(x, weight, bias)
            if out.shape == (SAMPLES, CLASSES):
                out = out.clone()
                out[sample, target[sample]] += (
                    step * x[sample].norm() * weight[target[sample]].norm()
                )
            return out

        with pytest.MonkeyPatch.context() as patch, torch.no_grad():
            patch.setattr(F, 'linear', moved)
            losses = model.head.loss(model.extract_feat(batch['inputs']), batch['data_samples'])
        return losses['loss'].item()

    for sample in range(3):
        difference = (loss(sample, 1e-2) - loss(sample, -1e-2)) / 2e-2
        expected = abs(SAMPLES * difference)
        assert measured.gradient[sample].item() == pytest.approx(expected, rel=0.02, abs=2e-3)


def test_nothing_is_trained_and_the_count_is_limited():
    model = build(HEADS['searched'])
    before = [parameter.clone() for parameter in model.parameters()]
    measured = collect_target_gradients(model, batches(3), max_samples=SAMPLES + 1)
    assert len(measured.cosine) == len(measured.gradient) == 2 * SAMPLES
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_a_head_without_a_linear_classifier():
    model = build(HEADS['softmax'])
    model.head.num_classes = 5
    with pytest.raises(ValueError, match='SoftmaxHead has no linear classifier onto 5 classes'):
        collect_target_gradients(model, batches())
