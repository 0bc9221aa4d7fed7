"""k-reciprocal re-ranking against torchreid's, and against the paper read one image at a time."""

import numpy as np
import pytest
import torch
from torchreid.reid.utils import re_ranking

from amlfs_mm.evaluation import k_reciprocal_rerank


def euclidean(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.sqrt(((one[:, None] - other) ** 2).sum(-1))


def peer(query: np.ndarray, gallery: np.ndarray, *options) -> np.ndarray:
    pairs = (query, gallery), (query, query), (gallery, gallery)
    return re_ranking(*(euclidean(*pair) for pair in pairs), *options)


def naive(query, gallery, k1: int, k2: int, weight: float) -> np.ndarray:
    """Zhong et al., section 3, by sets; ties in the order queries, gallery."""
    features = np.concatenate([query, gallery]).astype(np.float64)
    n = len(features)
    d = euclidean(features, features) ** 2
    d = d / np.maximum(d.max(1, keepdims=True), 1e-300)
    order = [sorted(range(n), key=lambda j: d[i, j]) for i in range(n)]

    def reciprocal(i: int, k: int) -> set:
        return {j for j in order[i][: k + 1] if i in order[j][: k + 1]}

    v = np.zeros((n, n))
    for i in range(n):
        own = reciprocal(i, k1)
        expanded = set(own)
        for j in own:
            half = reciprocal(j, round(k1 / 2))
            if len(half & own) > 2 / 3 * len(half):
                expanded |= half
        for j in expanded:
            v[i, j] = np.exp(-d[i, j])
    v /= np.maximum(v.sum(1, keepdims=True), 1e-300)
    if k2 > 1:
        v = np.stack([v[order[i][:k2]].mean(0) for i in range(n)])
    minimum = np.minimum(v[:, None], v[None]).sum(-1)
    jaccard = 1 - minimum / (2 - minimum)  # a row of v sums to 1
    result = (1 - weight) * jaccard + weight * d
    return result[: len(query), len(query) :]


def clusters(seed: int, queries: int, gallery: int, dim=8, spread=2.0) -> tuple:
    draw = np.random.default_rng(seed)
    centres = spread * draw.standard_normal((10, dim))
    return tuple(
        centres[draw.integers(0, 10, size)] + draw.standard_normal((size, dim))
        for size in (queries, gallery)
    )


OPTIONS = [(20, 6, 0.3), (7, 3, 0.85), (5, 1, 0.5), (20, 2, 0.0), (1, 1, 1.0), (3, 9, 0.3)]


@pytest.mark.parametrize('options', OPTIONS, ids=str)
@pytest.mark.parametrize('seed', range(6))
@pytest.mark.parametrize('spread', [0.0, 1.0, 3.0])
def test_is_torchreids(seed: int, spread: float, options: tuple):
    query, gallery = clusters(seed, 1 + 5 * seed, 30 + 30 * seed, spread=spread)
    expected = peer(query, gallery, *options)
    ours = k_reciprocal_rerank(query, gallery, *options)
    assert isinstance(ours, np.ndarray)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-6)
    tensors = k_reciprocal_rerank(torch.tensor(query), torch.tensor(gallery), *options)
    assert torch.equal(tensors, torch.tensor(ours))


@pytest.mark.parametrize('options', OPTIONS, ids=str)
def test_duplicates_rank_in_order(options: tuple):
    """Small whole numbers: distances are exact, and many are equal."""
    draw = np.random.default_rng(5)
    query, gallery = (draw.integers(0, 3, (size, 3)).astype(float) for size in (6, 40))
    np.testing.assert_allclose(
        k_reciprocal_rerank(query, gallery, *options), naive(query, gallery, *options), atol=1e-12
    )


def test_fewer_images_than_neighbours():
    query, gallery = clusters(0, 2, 5)
    np.testing.assert_allclose(
        k_reciprocal_rerank(query, gallery), naive(query, gallery, 20, 6, 0.3), atol=1e-12
    )


def test_all_images_the_same():
    same = np.ones((4, 3))
    assert np.isfinite(k_reciprocal_rerank(same[:1], same)).all()


def test_float32_is_near_float64():
    query, gallery = clusters(1, 20, 200, dim=64)
    single = k_reciprocal_rerank(query.astype(np.float32), gallery.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, k_reciprocal_rerank(query, gallery), atol=1e-6)


def test_blocks_change_nothing():
    query, gallery = clusters(2, 30, 170)
    whole = k_reciprocal_rerank(query, gallery)
    for block in (1, 2000, 50_000):
        again = k_reciprocal_rerank(query, gallery, block_elements=block)
        np.testing.assert_allclose(again, whole, atol=1e-12)


def test_the_arguments_stay_as_they_are():
    query, gallery = clusters(3, 5, 40)
    before = query.copy(), gallery.copy()
    k_reciprocal_rerank(query, gallery)
    assert (query == before[0]).all()
    assert (gallery == before[1]).all()


@pytest.mark.parametrize(
    ('change', 'says'),
    [
        (dict(gallery_features=np.zeros((0, 3))), '0 gallery images'),
        (dict(k1=2.5), 'k1=2.5'),
        (dict(k2=1.0), 'k2=1.0'),
        (dict(query_features=np.zeros((0, 3))), '0 queries'),
        (dict(query_features=np.zeros((2, 4))), r'\(2, 4\) and \(5, 3\)'),
        (dict(query_features=np.full((2, 3), np.inf)), 'query features are not all finite'),
        (dict(k1=0), 'k1=0'),
        (dict(k2=0), 'k2=0'),
        (dict(lambda_value=1.5), 'lambda_value=1.5'),
    ],
)
def test_bad_input(change: dict, says: str):
    good = dict(query_features=np.zeros((2, 3)), gallery_features=np.ones((5, 3)))
    with pytest.raises(ValueError, match=says):
        k_reciprocal_rerank(**{**good, **change})
