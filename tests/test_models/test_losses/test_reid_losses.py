"""The spectral feature transform and the batch-hard triplet loss, one sample at a time."""

import math

import numpy as np
import pytest
import torch
from mmpretrain.registry import MODELS

from amlfs_mm.models.losses import BatchHardTripletLoss, spectral_feature_transform
from amlfs_mm.utils.optional_imports import import_torchreid


@pytest.mark.parametrize('temperature', [0.02, 0.1, 1.0])
def test_spectral_feature_transform(temperature: float):
    x = np.random.default_rng(0).standard_normal((7, 4))
    expected = np.zeros_like(x)
    for i in range(7):
        cosines = [x[i] @ x[j] / np.linalg.norm(x[i]) / np.linalg.norm(x[j]) for j in range(7)]
        weights = [math.exp(cosine / temperature) for cosine in cosines]
        for j in range(7):
            expected[i] += weights[j] / sum(weights) * x[j]
    ours = spectral_feature_transform(torch.tensor(x), temperature)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-10)


def test_gradients_go_through_the_transition_matrix():
    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda f: spectral_feature_transform(f, 0.5), x)


def naive_triplet(x: np.ndarray, target: list, margin: float) -> float:
    losses = []
    for i in range(len(x)):
        distance = [math.dist(x[i], other) for other in x]
        same = [target[j] == target[i] for j in range(len(x))]
        positive = max(d for d, s in zip(distance, same, strict=True) if s)
        negative = min(d for d, s in zip(distance, same, strict=True) if not s)
        losses.append(max(0.0, margin + positive - negative))
    return float(np.mean(losses))


@pytest.mark.parametrize('margin', [0.3, 1.2])
def test_batch_hard_triplet(margin: float):
    x = np.random.default_rng(1).standard_normal((12, 6))
    target = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    loss = MODELS.build(dict(type='amlfs_mm.BatchHardTripletLoss', margin=margin, loss_weight=2.0))
    ours = loss(torch.tensor(x, dtype=torch.float32), torch.tensor(target))
    assert ours.item() == pytest.approx(2 * naive_triplet(x, target, margin), rel=1e-5)


def test_in_half_precision_it_counts_in_single():
    x = 100 * torch.randn(8, 16)
    target = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    loss = BatchHardTripletLoss(1.2)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(loss(x, target), loss(x.float(), target))


def test_duplicates_have_a_finite_gradient():
    x = torch.ones(4, 3, requires_grad=True)
    BatchHardTripletLoss(0.3)(x, torch.tensor([0, 0, 1, 1])).backward()
    assert torch.isfinite(x.grad).all()


def test_one_identity_is_refused():
    with pytest.raises(ValueError, match='no negative'):
        BatchHardTripletLoss()(torch.randn(4, 3), torch.tensor([5, 5, 5, 5]))


def test_the_triplet_loss_and_its_gradient_are_torchreids_bit_for_bit():
    draw = torch.Generator().manual_seed(2)
    target = torch.arange(16) // 4
    gradients = []
    for loss in (BatchHardTripletLoss(1.2), import_torchreid('losses').TripletLoss(1.2)):
        x = torch.randn(16, 8, generator=draw.manual_seed(2)).requires_grad_()
        value = loss(x, target)
        value.backward()
        gradients.append((value.detach(), x.grad))
    (ours, our_gradient), (theirs, their_gradient) = gradients
    assert torch.equal(ours, theirs)
    assert torch.equal(our_gradient, their_gradient)
