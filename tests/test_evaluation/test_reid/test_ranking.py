"""CMC, mAP, mINP against the protocol read one query at a time, and against torchreid."""

import numpy as np
import pytest
import torch
from torchreid.reid.metrics import evaluate_rank

from amlfs_mm.evaluation import cumulative_match, reid_metrics, score_queries


def naive_metrics(distance, query_ids, gallery_ids, query_cameras, gallery_cameras, ranks) -> dict:
    """Market-1501's protocol for one query after the other, in float64 and percent."""
    step, trapezoid, inp, first = [], [], [], []
    for i, row in enumerate(np.asarray(distance, np.float64)):
        # Python's sort is stable: equal distances stay in gallery order.
        order = sorted(range(len(row)), key=lambda j: row[j])
        ranked = []
        for j in order:
            same = gallery_ids[j] == query_ids[i]
            if gallery_ids[j] == -1 or (same and gallery_cameras[j] == query_cameras[i]):
                continue
            ranked.append(bool(same))
        positives = sum(ranked)
        if not positives:
            continue
        found, ap, area, old_recall, old_precision = 0, 0.0, 0.0, 0.0, 1.0
        for place, hit in enumerate(ranked, start=1):
            found += hit
            recall, precision = found / positives, found / place
            ap += hit * precision / positives
            area += (recall - old_recall) * (old_precision + precision) / 2
            old_recall, old_precision = recall, precision
        step.append(ap)
        trapezoid.append(area)
        last = max(place for place, hit in enumerate(ranked, start=1) if hit)
        inp.append(positives / last)
        first.append(ranked.index(True))
    result = dict(mAP=np.mean(step), mAP_trapezoid=np.mean(trapezoid), mINP=np.mean(inp))
    result |= {f'rank{k}': np.mean([place < k for place in first]) for k in ranks}
    return {name: 100 * float(value) for name, value in result.items()}


def problem(seed: int, queries=20, gallery=90, ids=6, cameras=3, ties=False, junk=False) -> list:
    draw = np.random.default_rng(seed)
    distance = draw.random((queries, gallery))
    if ties:
        distance = np.round(3 * distance)
    gallery_ids = draw.integers(-1 if junk else 0, ids, gallery)
    cameras_of = draw.integers(0, cameras, queries), draw.integers(0, cameras, gallery)
    return [distance, draw.integers(0, ids, queries), gallery_ids, *cameras_of]


@pytest.mark.parametrize('seed', range(20))
@pytest.mark.parametrize(
    'options',
    [
        dict(),
        dict(ties=True),
        dict(junk=True),
        dict(ties=True, junk=True, cameras=2),
        dict(ids=60),  # many queries have no positive
        dict(ids=2, queries=3, gallery=200),  # many positives
        dict(gallery=1, ids=1, cameras=5),
    ],
    ids=str,
)
def test_is_the_protocol(seed: int, options: dict):
    arguments = problem(seed, **options)
    try:
        expected = naive_metrics(*arguments, ranks=(1, 5, 10))
    except (ValueError, IndexError):
        expected = None
    if expected is None or np.isnan(expected['mAP']):
        with pytest.raises(ValueError, match='has a positive'):
            reid_metrics(*arguments)
        return
    for kind in (np.asarray, torch.as_tensor, lambda x: torch.as_tensor(x).float()):
        distance = kind(arguments[0])
        if getattr(distance, 'dtype', None) == torch.float32:
            expected = naive_metrics(distance.numpy(), *arguments[1:], ranks=(1, 5, 10))
        ours = reid_metrics(distance, *arguments[1:])
        assert ours == pytest.approx(expected, abs=1e-9)
        assert all(type(value) is float for value in ours.values())


@pytest.mark.parametrize('seed', range(10))
@pytest.mark.parametrize('ids', [3, 10, 40])
def test_is_torchreids(seed: int, ids: int):
    """Which has the step mAP and CMC, no junk, and no stable order of ties."""
    arguments = problem(seed, queries=30, gallery=120, ids=ids)
    cmc, mean = evaluate_rank(*arguments, max_rank=10, use_cython=False)
    ours = reid_metrics(*arguments)
    assert ours['mAP'] == pytest.approx(100 * mean, abs=1e-6)
    # torchreid's CMC is float32.
    theirs = [100 * float(cmc[rank - 1]) for rank in (1, 5, 10)]
    assert [ours[f'rank{rank}'] for rank in (1, 5, 10)] == pytest.approx(theirs, rel=1e-6)


def test_by_hand():
    """Ranking [0, 1, 0, 1]: AP 1/2, by trapezoids 1/3; INP 2/4; found at rank 2."""
    metrics = reid_metrics([[1.0, 2.0, 3.0, 4.0]], [7], [8, 7, 8, 7], [0], [1, 1, 1, 2], (1, 2))
    expected = dict(mAP=50.0, mAP_trapezoid=100 / 3, mINP=50.0, rank1=0.0, rank2=100.0)
    assert metrics == pytest.approx(expected)


def test_distractors_count_and_junk_does_not():
    """Distractors (0) before the positive push it down, junk (-1) and the own camera do not."""
    cameras = [0], [1, 1, 0, 1]
    distance = [[1.0, 2.0, 3.0, 4.0]]
    assert reid_metrics(distance, [7], [0, 0, 7, 7], *cameras)['mAP'] == pytest.approx(100 / 3)
    assert reid_metrics(distance, [7], [-1, -1, 7, 7], *cameras)['mAP'] == 100


def test_ties_rank_in_gallery_order():
    distance = np.zeros((1, 4))
    for place in range(4):
        ids = [1] * 4
        ids[place] = 7
        metrics = reid_metrics(distance, [7], ids, [0], [1] * 4)
        assert metrics['mAP'] == pytest.approx(100 / (place + 1))


def test_infinite_distances_rank_last():
    metrics = reid_metrics([[np.inf, np.inf, 1.0]], [7], [7, 8, 9], [0], [1, 1, 1])
    assert metrics['mAP'] == 50  # the tie of infinities is in gallery order


def test_blocks_change_nothing():
    arguments = problem(3, ties=True)
    whole = score_queries(*arguments)
    for one, other in zip(whole, score_queries(*arguments, block_elements=200), strict=True):
        torch.testing.assert_close(one, other, equal_nan=True)


def test_no_curve_without_a_positive():
    """Nothing was found would be another statement than nothing could be found."""
    scores = score_queries([[1.0]], [1], [2], [0], [1])
    with pytest.raises(ValueError, match='none of the 1 queries has a positive'):
        cumulative_match(scores, 3)
    with pytest.raises(ValueError, match='whole numbers from 1'):
        cumulative_match(score_queries([[1.0]], [1], [1], [0], [1]), 0)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.int32])
def test_other_types(dtype: torch.dtype):
    distance, *rest = problem(4, ties=True)
    assert reid_metrics(torch.as_tensor(distance).to(dtype), *rest) == reid_metrics(distance, *rest)


def test_scores_of_each_query_and_the_cmc_curve():
    distance = [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0]]
    scores = score_queries(distance, [1, 1, 9], [1, 2, 2], [0, 0, 0], [1, 1, 1])
    assert scores.first_hit.tolist() == [0, 2, -1]
    assert scores.average_precision[:2].tolist() == pytest.approx([1, 1 / 3])
    assert scores.average_precision.isnan().tolist() == [False, False, True]
    assert cumulative_match(scores, 4).tolist() == [50, 50, 100, 100]


@pytest.mark.parametrize(
    ('change', 'says'),
    [
        (dict(distance=np.zeros((2, 0)), gallery_ids=[], gallery_cameras=[]), r'\(2, 0\)'),
        (dict(distance=np.zeros(3)), r'got shape \(3,\)'),
        (dict(distance=[[1.0, np.nan, 2.0]] * 2), 'NaN'),
        (dict(query_ids=[1]), r'query_ids has shape \(1,\).*needs \(2,\)'),
        (dict(gallery_cameras=[0, 0]), r'gallery_cameras has shape \(2,\).*needs \(3,\)'),
        (dict(ranks=(0,)), r'from 1, got \[0\]'),
        (dict(gallery_ids=[5, 5, 5]), 'none of the 2 queries has a positive'),
        (dict(gallery_ids=[-1, -1, -1]), 'none of the 2 queries has a positive'),
        (dict(gallery_cameras=[0, 0, 0]), 'none of the 2 queries has a positive'),
    ],
)
def test_bad_input(change: dict, says: str):
    good = dict(
        distance=np.ones((2, 3)),
        query_ids=[1, 1],
        gallery_ids=[1, 2, 3],
        query_cameras=[0, 0],
        gallery_cameras=[1, 1, 1],
    )
    assert reid_metrics(**good)['rank1'] == 100
    with pytest.raises(ValueError, match=says):
        reid_metrics(**{**good, **change})
