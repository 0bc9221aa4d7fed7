"""AMLFSHead with hand-made losses as points of its space."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers.searched_head import SCALES, labels, losses_of, make_head, make_problem
from mmpretrain.models.heads import ArcFaceClsHead

from amlfs_mm.search import SearchSpace


@pytest.mark.parametrize('scale', SCALES)
def test_am_softmax_is_its_formula(scale):
    """Wang et al. 2018: the target's logit is n (cos - m), n = s or |W_y| |x|."""
    m = 0.35
    x, weight, y = make_problem(10, seed=8)
    theta = SearchSpace().known_loss('am_softmax', m=m)
    feats = x.clone().requires_grad_()
    head = make_head(weight, theta, scale=scale)
    ours = head.loss((feats,), labels(y))['loss']
    our_gradient = torch.autograd.grad(ours, feats)[0]

    cosine = F.linear(F.normalize(feats), F.normalize(weight))
    margin = m * F.one_hot(torch.tensor(y), 10)
    if scale is None:
        n = feats.norm(dim=1, keepdim=True) * weight.norm(dim=1)
    else:
        n = torch.full_like(cosine, scale)
    plain = F.cross_entropy(n * (cosine - margin), torch.tensor(y))
    gradient = torch.autograd.grad(plain, feats)[0]
    assert abs(ours.item() - plain.item()) <= 1e-5 * max(1, plain.item())
    assert (our_gradient - gradient).abs().max() <= 1e-5 * max(1, gradient.abs().max().item())


@pytest.mark.parametrize('scale', [14.0, 30.0, 64.0])
def test_arcface_is_near_mmpretrains(scale):
    """|t - exact| <= 0.062, so a target's logit is off by 0.062 s at most, and so is the loss (its
    slope in the target's logit is p - 1)."""
    x, weight, y = make_problem(10, seed=9, n=200)
    head = make_head(weight, SearchSpace().known_loss('arcface', m=0.5), scale=scale)
    peer = ArcFaceClsHead(10, 16, scale=scale, margins=0.5)
    peer.norm_product.weight.data.copy_(weight)
    target = torch.tensor(y)
    theirs = F.cross_entropy(peer((x,), target), target, reduction='none').detach().numpy()
    cosine = F.cosine_similarity(x, weight[target]).numpy()
    formula = cosine > math.cos(math.pi - 0.5)  # the peer leaves it below
    assert formula.sum() > 150
    error = np.abs(losses_of(head, x, y) - theirs)[formula]
    assert error.max() <= 0.062 * scale
    assert error.max() > 0.01 * scale  # it is an approximation; plain softmax is farther off:
    plain = losses_of(make_head(weight, scale=scale), x, y)
    assert np.abs(plain - theirs)[formula].max() > 0.3 * scale


@pytest.mark.parametrize('alpha', [1, 2])
def test_focal_is_near_its_formula_for_easy_samples(alpha):
    """tau is within 0.016 of p^((1 - p)^alpha), which is above 1/6 where p is: log within 0.1."""
    x, weight, y = make_problem(10, seed=10, n=200)
    head = make_head(weight, SearchSpace().known_loss('focal', alpha=alpha))
    p = head((x,)).softmax(1).detach().double().numpy()[range(200), y]
    easy = p > 1 / 6
    assert 50 < easy.sum() < 200
    focal = -((1 - p) ** alpha) * np.log(p)
    error = np.abs(losses_of(head, x, y) - focal)[easy]
    assert error.max() <= 0.1
    assert np.abs(-np.log(p) - focal)[easy].max() > 0.3
