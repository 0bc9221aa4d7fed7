"""The probability and the weight of a training label, against autograd and plain softmax."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.runs import TINY_SEARCH
from helpers.small_data import Labelled
from mmengine.config import Config
from mmpretrain.registry import MODELS
from torch.utils.data import Subset

from amlfs_mm.analysis import read_run
from amlfs_mm.analysis.label_errors.judge import judge_labels, winners
from amlfs_mm.analysis.label_errors.predictions import predict_labels
from amlfs_mm.models.losses import amlfs_loss

LABELS = [3, 1, 4, 1, 5, 9, 2, 6, 0, 7, 8, 8]


def build(head: dict) -> torch.nn.Module:
    torch.manual_seed(0)
    model = dict(
        type='ImageClassifier',
        backbone=dict(type='amlfs_mm.MLP', in_channels=192, channels=(16, 8)),
        head=dict(num_classes=10, in_channels=8, **head),
        data_preprocessor=dict(type='ClsDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3),
    )
    built = MODELS.build(model)
    built.head.fc.weight.data.normal_()
    return built.double()


def features_of(model: torch.nn.Module, samples: Labelled) -> torch.Tensor:
    images = torch.stack([sample['inputs'] for sample in samples]).double()
    return model.eval().extract_feat((images - 127.5) / 127.5)[0].detach()


@pytest.fixture(scope='module')
def samples() -> Labelled:
    return Labelled(LABELS, serialize_data=False)


@pytest.mark.parametrize('scale', [None, 16.0])
def test_probability_is_the_softmax_of_scaled_logits(samples: Labelled, scale: float | None):
    model = build(dict(type='amlfs_mm.SoftmaxHead', scale=scale))
    features, weight = features_of(model, samples), model.head.fc.weight.detach()
    logits = features @ weight.T
    if scale:
        logits = scale * logits / features.norm(dim=1, keepdim=True) / weight.norm(dim=1)
    p = logits.exp() / logits.exp().sum(1, keepdim=True)
    found = predict_labels(model, samples, batch_size=5, keep_all=True)
    assert found.given.tolist() == LABELS
    np.testing.assert_allclose(found.probability, p[range(len(LABELS)), LABELS], rtol=1e-4)
    np.testing.assert_allclose(found.every, p, rtol=1e-4)
    assert found.suggested.tolist() == p.argmax(1).tolist()
    assert (found.weight == 1).all()


@pytest.mark.parametrize('scale', [None, 4.0])
@pytest.mark.parametrize('floor', ['relative', 'constant'])
def test_weight_is_the_gradient_through_tau(samples: Labelled, scale: float | None, floor: str):
    """The gradient of the searched loss over that of -log p^t, both by autograd, by theta."""
    model = build(dict(type='amlfs_mm.AMLFSHead', scale=scale, tau_floor=floor))
    draw = torch.Generator().manual_seed(1)
    losses = [model.head.theta + 0.3 * torch.randn(24, generator=draw) for _ in range(3)]
    features, classes = features_of(model, samples), model.head.fc.weight.detach()
    target = torch.tensor(LABELS)
    expected = []
    for theta in losses:
        t, tau = model.head.search_space.transforms(theta.double(), model.head.min_slope)
        one = model.head.search_space.transforms(model.head.search_space.identity().double())[1]
        norms: torch.Tensor | float = features.norm(dim=1) * classes[target].norm(dim=1)
        logits = features @ classes.T
        if scale:
            logits = scale * logits / features.norm(dim=1, keepdim=True) / classes.norm(dim=1)
            norms = scale
        gradients = []
        for last, kept in ((tau, floor), (one, 'relative')):
            leaf = logits.clone().requires_grad_()
            amlfs_loss(leaf, target, norms, t, last, kept)[0].sum().backward()
            others = torch.ones_like(leaf).scatter(1, target[:, None], 0) * leaf.grad
            gradients.append(others.sum(1))
        expected.append(gradients[0] / gradients[1])
    found = predict_labels(model, samples, losses)
    wanted = torch.stack(expected).mean(0).numpy()
    np.testing.assert_allclose(found.weight, wanted, rtol=1e-4)


def test_several_classifiers_are_averaged(samples: Labelled):
    model = build(dict(type='amlfs_mm.SoftmaxHead'))
    whole = predict_labels(model, samples, keep_all=True).every
    plain = model.head.forward
    model.head.forward = lambda feats: [plain(feats), 0 * plain(feats)]
    found = predict_labels(model, samples, keep_all=True).every
    np.testing.assert_allclose(found, (whole + 0.1) / 2, rtol=1e-5)


@pytest.mark.parametrize(
    ('labels', 'message'),
    [([3, [1, 2]], 'has 2 classes'), ([3, None], 'has no classes'), ([11], 'gives 10 classes')],
)
def test_labels_that_cannot_be_judged(labels: list, message: str):
    with pytest.raises(ValueError, match=message):
        predict_labels(
            build(dict(type='amlfs_mm.SoftmaxHead')), Labelled(labels, serialize_data=False)
        )


def test_no_samples(samples: Labelled):
    with pytest.raises(ValueError, match='no training sample'):
        predict_labels(build(dict(type='amlfs_mm.SoftmaxHead')), Subset(samples, []))


def test_a_model_that_diverged(samples: Labelled):
    model = build(dict(type='amlfs_mm.SoftmaxHead'))
    model.head.fc.weight.data.fill_(torch.nan)
    with pytest.raises(ValueError, match='not finite'):
        predict_labels(model, samples)


def test_winners_of_the_last_epochs(tiny_run: Path, tiny_records: list[dict]):
    run = read_run(tiny_run)
    best = [record['theta'][record['best']] for record in tiny_records]
    found = winners(run, tiny_run / 'epoch_3.pth', 2)
    np.testing.assert_allclose(torch.stack(found), best[:0:-1], rtol=1e-6)
    # An earlier checkpoint had only the winners before it.
    (only,) = winners(run, tiny_run / 'epoch_1.pth', 5)
    assert only.tolist() == pytest.approx(best[0])


def test_labels_as_trained_images_as_tested(tiny_run: Path):
    """LabelNoise counts, the random crop does not."""
    samples, first, _ = judge_labels(read_run(tiny_run))
    _, second, _ = judge_labels(read_run(tiny_run))
    np.testing.assert_array_equal(first.probability, second.probability)
    assert len(samples) == len(first) == 96
    trained = [samples.dataset[i]['data_samples'].gt_label.item() for i in range(96)]
    true = [samples.dataset.get_data_info(i)['gt_label'] for i in range(96)]
    assert first.given.tolist() == trained != true
    config = Config.fromfile(TINY_SEARCH)
    assert config.train_pipeline[1].type == 'RandomCrop'
