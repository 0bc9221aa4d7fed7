"""MegaFace's rank-k against the protocol read one pair at a time, in float64."""

from pathlib import Path

import numpy as np
import pytest
import torch

from amlfs_mm.evaluation import gallery_identification_rate, identification_rate

SAME = 1e-12  # float64 rounds cosines of equal features to less than this


def unit(features) -> np.ndarray:
    features = np.asarray(features, np.float64)
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def naive_rates(probes, ids, distractors, ranks) -> dict:
    """Each ordered pair of a person's images: how many distractors are as near as the mate?"""
    probes, distractors = unit(probes), unit(distractors)
    hits, pairs = dict.fromkeys(ranks, 0), 0
    for i in range(len(probes)):
        for j in range(len(probes)):
            if i == j or ids[i] != ids[j]:
                continue
            pairs += 1
            mate = np.sum(probes[i] * probes[j])
            before = np.sum(np.sum(probes[i] * distractors, axis=1) >= mate - SAME)
            for rank in ranks:
                hits[rank] += before < rank
    return {f'rank{rank}': 100 * hits[rank] / pairs for rank in ranks}


def naive_gallery_rates(probes, ids, gallery, gallery_ids, ranks) -> dict:
    """Each gallery image of a probe's person alone among those of all others."""
    probes, gallery = unit(probes), unit(gallery)
    hits, pairs = dict.fromkeys(ranks, 0), 0
    for i in range(len(probes)):
        others = gallery[np.asarray(gallery_ids) != ids[i]]
        for j in range(len(gallery)):
            if ids[i] != gallery_ids[j]:
                continue
            pairs += 1
            mate = np.sum(probes[i] * gallery[j])
            before = np.sum(np.sum(probes[i] * others, axis=1) >= mate - SAME)
            for rank in ranks:
                hits[rank] += before < rank
    return {f'rank{rank}': 100 * hits[rank] / pairs for rank in ranks}


def draw(seed: int, n: int, dim: int, kind: str) -> np.ndarray:
    """``ties``: few directions, so that most cosines have equals; ``normal``: none has."""
    generator = np.random.default_rng(seed)
    if kind == 'ties':
        return generator.integers(-1, 2, (n, dim)) * 3.0 + np.eye(1, dim) * 0.5
    return generator.standard_normal((n, dim)) * generator.uniform(0.1, 10, (n, 1))


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('kind', ['normal', 'ties'])
@pytest.mark.parametrize('block', [None, 7])
def test_is_the_protocol(seed: int, kind: str, block: int | None):
    options = dict(block_elements=block * 30) if block else {}
    ids = np.random.default_rng(seed).integers(0, 9, 30)  # some persons have one image
    probes, distractors = draw(seed, 30, 4, kind), draw(seed + 100, 61, 4, kind)
    ranks = (1, 3, 61, 100)
    expected = naive_rates(probes, ids, distractors, ranks)
    assert identification_rate(probes, ids, distractors, ranks, **options) == expected
    tensors = torch.tensor(probes), torch.tensor(ids), distractors
    assert identification_rate(*tensors, ranks, **options) == expected
    if kind == 'normal':
        assert expected['rank1'] < expected['rank3'] < expected['rank100'] == 100


@pytest.mark.parametrize('kind', ['normal', 'ties'])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_other_types(kind: str, dtype: torch.dtype):
    ids = np.arange(24) // 3
    probes, distractors = (
        torch.tensor(draw(s, n, 8, kind)).to(dtype) for s, n in ((0, 24), (1, 90))
    )
    expected = naive_rates(probes.double(), ids, distractors.double(), (1, 2))
    assert identification_rate(probes, ids, distractors, (1, 2)) == expected
    assert identification_rate(probes.requires_grad_(), ids, distractors, (1, 2)) == expected


@pytest.mark.parametrize('sizes', [[100], [1] * 100, [33, 0, 1, 66], [7] * 14 + [2]])
def test_chunks_change_nothing(sizes: list[int], tmp_path: Path):
    probes, distractors = draw(0, 20, 6, 'normal'), draw(1, 100, 6, 'normal').astype(np.float32)
    ids = np.arange(20) // 2
    whole = identification_rate(probes, ids, distractors, (1, 5))
    assert whole == naive_rates(probes, ids, distractors, (1, 5))
    chunks = np.split(distractors, np.cumsum(sizes)[:-1])
    assert identification_rate(probes, ids, iter(chunks), (1, 5)) == whole
    assert identification_rate(probes, ids, map(torch.from_numpy, chunks), (1, 5)) == whole
    distractors.tofile(tmp_path / 'features')
    mapped = np.memmap(tmp_path / 'features', np.float32, 'r', shape=(100, 6))
    assert identification_rate(probes, ids, mapped, (1, 5)) == whole


def test_equal_features_tie():
    """In float32 a matrix product gives equal vectors cosines that differ in the last digit."""
    people = draw(0, 40, 512, 'normal').astype(np.float32)
    probes, ids = np.concatenate([people, people]), np.tile(np.arange(40), 2)
    others = draw(1, 700, 512, 'normal').astype(np.float32)
    assert identification_rate(probes, ids, others) == dict(rank1=100)
    others[::17][:40] = 2 * people
    assert identification_rate(probes, ids, others, (1, 2)) == dict(rank1=0, rank2=100)
    assert identification_rate(probes, ids, others[::-1].copy(), (1, 2)) == dict(rank1=0, rank2=100)


def test_a_collapsed_model_scores_nothing():
    ones = np.ones((6, 3), np.float32)
    assert identification_rate(ones, [0, 0, 1, 1, 2, 2], ones) == dict(rank1=0)
    assert gallery_identification_rate(ones, range(6), ones, range(6)) == dict(rank1=0)


def test_by_hand():
    """a's mate is behind one distractor of b's, b's images are nearest to each other."""
    probes = [[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [5.0, 0.0]]
    rates = identification_rate(probes, ['a', 'a', 'b', 'b'], np.array([[1, 0.1], [-1, 0]]), (1, 2))
    # Cosines to the mate 0, 0, 0.6, 0.6; to the nearest distractor 0.995, 0.0995, 0.677, 0.995;
    # to the next -1, 0, -0.6, -1: the second image of a ties there.
    assert rates == dict(rank1=0, rank2=75)


def test_pairs_count_alike_not_persons():
    """Three images found at rank 1 give six pairs, two not found give two."""
    probes = np.eye(5)[[0, 0, 0, 1, 2]]
    assert identification_rate(probes, [0, 0, 0, 1, 1], np.eye(5)[[1, 2]])['rank1'] == 75


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('kind', ['normal', 'ties'])
@pytest.mark.parametrize('block', [None, 120])
def test_gallery_is_the_protocol(seed: int, kind: str, block: int | None):
    options = dict(block_elements=block) if block else {}
    generator = np.random.default_rng(seed)
    ids, gallery_ids = generator.integers(0, 8, 30), generator.integers(0, 7, 25)
    arguments = draw(seed, 30, 5, kind), ids, draw(seed + 50, 25, 5, kind), gallery_ids
    expected = naive_gallery_rates(*arguments, (1, 4, 50))
    assert gallery_identification_rate(*arguments, (1, 4, 50), **options) == expected
    names = [f'person {i}' for i in ids], [f'person {i}' for i in gallery_ids]
    assert (
        gallery_identification_rate(
            torch.tensor(arguments[0]), names[0], torch.tensor(arguments[2]), names[1], (1, 4, 50)
        )
        == expected
    )


def test_gallery_of_one_image_a_person_is_the_nearest_neighbour():
    generator = np.random.default_rng(3)
    probes, gallery = generator.standard_normal((200, 3)), generator.standard_normal((9, 3))
    ids = generator.integers(0, 9, 200)
    nearest = (unit(probes) @ unit(gallery).T).argmax(1)
    rate = gallery_identification_rate(probes, ids, gallery, range(9))
    assert rate['rank1'] == pytest.approx(100 * (nearest == ids).mean())


@pytest.mark.parametrize(
    ('change', 'says'),
    [
        (dict(probe_features=np.ones(4)), r'probe_features must be .* got shape \(4,\)'),
        (dict(probe_features=np.ones((0, 3)), probe_ids=[]), r'\(0, 3\): there is nothing'),
        (dict(probe_features=np.full((4, 3), np.nan)), 'probe_features are not finite.* row 0'),
        (dict(probe_ids=[0, 0, 1]), r'probe_ids has shape \(3,\), but there are 4 features'),
        (dict(probe_ids=[0, 1, 2, 3]), 'none of the 4 probes shares its identity'),
        (dict(distractors=np.ones((5, 2))), r'\(images, 3\), got shape \(5, 2\)'),
        (dict(distractors=[np.ones((5, 3)), np.ones((5, 4))]), r'got shape \(5, 4\)'),
        (dict(distractors=np.ones(3)), r'got shape \(3,\)'),
        (dict(distractors=[[1.0, 2.0, 3.0]]), r'got shape \(3,\)'),
        (dict(distractors=np.ones((0, 3))), 'there is no distractor'),
        (dict(distractors=[]), 'there is no distractor'),
        (
            dict(distractors=[np.ones((5, 3)), np.array([[1, 1, 1], [1, np.inf, 1.0]])]),
            'distractors are not finite, first in row 6',
        ),
        (dict(ranks=(0, 1)), r'from 1, got \[0\]'),
    ],
)
def test_bad_input(change: dict, says: str):
    good = dict(
        probe_features=np.eye(4, 3) + 1, probe_ids=[0, 0, 1, 1], distractors=np.ones((5, 3))
    )
    identification_rate(**good)
    with pytest.raises(ValueError, match=says):
        identification_rate(**{**good, **change})


@pytest.mark.parametrize(
    ('change', 'says'),
    [
        (dict(gallery_features=np.ones((2, 4))), r'\(images, 3\), got shape \(2, 4\)'),
        (dict(gallery_features=np.full((2, 3), np.inf)), 'gallery_features are not finite'),
        (dict(gallery_ids=[0]), r'gallery_ids has shape \(1,\), but there are 2'),
        (dict(gallery_ids=[8, 9]), 'none of the 4 probes has an image of its identity'),
        (dict(gallery_ids=[1, 1]), 'all 2 gallery images are of one person'),
        (dict(ranks=(-1,)), 'from 1'),
    ],
)
def test_bad_gallery(change: dict, says: str):
    good = dict(
        probe_features=np.eye(4, 3) + 1,
        probe_ids=[0, 0, 1, 1],
        gallery_features=np.ones((2, 3)),
        gallery_ids=[0, 1],
    )
    gallery_identification_rate(**good)
    with pytest.raises(ValueError, match=says):
        gallery_identification_rate(**{**good, **change})


@pytest.mark.skipif(not Path('/proc/self/clear_refs').exists(), reason='Linux tells the peak')
def test_memory_does_not_grow_with_the_distractors():
    """32,768 distractors: 67 MB of features and 17 MB of cosines, in a few."""
    generator = np.random.default_rng(0)
    probes = generator.standard_normal((128, 512), dtype=np.float32)
    base = generator.standard_normal((2048, 512), dtype=np.float32)

    def rate(chunks: int) -> None:
        identification_rate(
            probes,
            np.arange(128) // 2,
            (np.roll(base, i, axis=1) for i in range(chunks)),
            block_elements=1 << 17,
        )

    def memory(kind: str) -> float:
        lines = Path('/proc/self/status').read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(kind))

    rate(2)
    Path('/proc/self/clear_refs').write_text('5')  # the peak starts anew
    before = memory('VmRSS')
    rate(16)
    assert memory('VmHWM') - before < 30
