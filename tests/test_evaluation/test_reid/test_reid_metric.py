"""ReIDMetric: the plain functions behind MMEngine's interface, on one process and on several."""

import contextlib
import math
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.runs import free_port, run
from mmengine.registry import METRICS

from amlfs_mm.evaluation import ReIDMetric, k_reciprocal_rerank, reid_metrics
from amlfs_mm.evaluation.reid.distances import pairwise_distance
from amlfs_mm.evaluation.reid.features import Features, load_features
from amlfs_mm.evaluation.reid.reid_metric import score_features


def samples(seed: int = 0, queries: int = 12, gallery: int = 50, dim: int = 6) -> list[dict]:
    """Data samples as a model leaves them, queries and gallery mixed."""
    draw = np.random.default_rng(seed)
    made = [
        dict(
            feature=torch.tensor(draw.standard_normal(dim), dtype=torch.float32),
            person_id=int(draw.integers(0, 5)),
            camera_id=int(draw.integers(0, 3)),
            role='query' if i < queries else 'gallery',
            img_path=f'{i}.jpg',
        )
        for i in range(queries + gallery)
    ]
    draw.shuffle(made)
    return made


def evaluate(made: list[dict], **options) -> dict:
    metric = METRICS.build(dict(type='amlfs_mm.ReIDMetric', **options))
    for start in range(0, len(made), 7):
        metric.process({}, made[start : start + 7])
    return metric.evaluate(len(made))


def arguments(made: list[dict]) -> tuple[torch.Tensor, torch.Tensor, list]:
    parts = [[s for s in made if s['role'] == role] for role in ('query', 'gallery')]
    features = [torch.stack([s['feature'] for s in part]) for part in parts]
    labels = [[s[key] for s in part] for key in ('person_id', 'camera_id') for part in parts]
    return *features, labels


@pytest.mark.parametrize('distance', ['cosine', 'euclidean'])
def test_is_the_plain_functions(distance: str):
    made = samples()
    query, gallery, labels = arguments(made)
    if distance == 'cosine':
        matrix = 1 - torch.nn.functional.cosine_similarity(query[:, None], gallery, dim=2)
    else:
        matrix = (query[:, None] - gallery).norm(dim=2)
    expected = {f'reid/{k}': v for k, v in reid_metrics(matrix, *labels).items()}
    metrics = evaluate(made, distance=distance, rerank=True)
    assert {k: v for k, v in metrics.items() if 'rerank' not in k} == pytest.approx(expected)
    # Euclidean between unit features is what cosine re-ranks by.
    if distance == 'cosine':
        query, gallery = (torch.nn.functional.normalize(x) for x in (query, gallery))
    again = reid_metrics(k_reciprocal_rerank(query, gallery), *labels)
    expected = {f'reid/{k}_rerank': v for k, v in again.items()}
    assert {k: v for k, v in metrics.items() if 'rerank' in k} == pytest.approx(expected)


def test_names():
    names = {'mAP', 'mAP_trapezoid', 'mINP', 'rank1', 'rank5', 'rank10'}
    assert set(evaluate(samples())) == {f'reid/{name}' for name in names}
    assert set(evaluate(samples(), rerank=True)) == {
        f'reid/{name}{suffix}' for name in names for suffix in ('', '_rerank')
    }


def test_the_scores_of_the_queries():
    """Each metric is their mean; a query scores what it scores alone. NaN features have none."""
    metric = ReIDMetric(rerank=True)
    made = samples()
    metric.process({}, made)
    for name, value in metric.evaluate(len(made)).items():
        assert metric.sample_scores(name.removeprefix('reid/')).mean().item() == pytest.approx(
            value
        )
    gallery = [sample for sample in made if sample['role'] == 'gallery']
    alone = []
    for query in (sample for sample in made if sample['role'] == 'query'):
        with contextlib.suppress(ValueError):  # it has no positive, and does not count
            alone.append(evaluate([query, *gallery])['reid/mAP'])
    assert metric.sample_scores('mAP').tolist() == pytest.approx(alone)
    assert metric.sample_scores('rank50') is None
    made[0]['feature'] = torch.full_like(made[0]['feature'], math.nan)
    metric.process({}, made)
    metric.evaluate(len(made))
    assert metric.sample_scores('mAP') is None


@pytest.mark.parametrize('distance', ['cosine', 'euclidean'])
def test_blocks_change_nothing(distance: str):
    query, gallery, (query_ids, gallery_ids, query_cameras, gallery_cameras) = arguments(samples())
    parts = [
        Features(query, torch.tensor(query_ids), torch.tensor(query_cameras), []),
        Features(gallery, torch.tensor(gallery_ids), torch.tensor(gallery_cameras), []),
    ]
    whole = score_features(*parts, distance)
    for block in (1, 120, 351):
        for one, other in zip(whole, score_features(*parts, distance, block), strict=True):
            torch.testing.assert_close(one, other, equal_nan=True)


@pytest.mark.parametrize('field', ['feature', 'person_id', 'camera_id', 'role'])
def test_a_missing_field(field: str):
    made = samples()
    del made[3][field]
    cure = 'EmbeddingClassifier' if field == 'feature' else "meta_keys of the pipeline's PackInputs"
    with pytest.raises(ValueError, match=f'ReIDMetric needs .*{field}.*{cure}'):
        evaluate(made)


def test_an_unknown_role():
    """Its image would be left out without a word."""
    made = samples()
    made[3]['role'] = 'train'
    with pytest.raises(ValueError, match=r"roles \['query', 'gallery'\].*\.jpg has 'train'"):
        evaluate(made)


def test_images_that_come_twice_count_once():
    made = [dict(sample, sample_idx=i) for i, sample in enumerate(samples())]
    whole = evaluate(made)
    assert evaluate(made + made[:31]) == pytest.approx(whole)
    # Data sets that are put together count from 0 each: these are two images.
    other = dict(made[0], img_path='other.jpg', role='gallery')
    more = evaluate([*made, other])
    del other['sample_idx']
    assert more == pytest.approx(evaluate([*made, other]))


@pytest.mark.parametrize('ranks', [(0,), (1.5,), (True,), ('1',)])
def test_ranks_are_whole_numbers(ranks: tuple):
    with pytest.raises(ValueError, match='ranks are whole numbers from 1'):
        ReIDMetric(ranks=ranks)
    assert 'reid/rank2' in evaluate(samples(), ranks=np.array([2]))


@pytest.mark.parametrize('rerank', [False, True])
def test_a_diverged_model_scores_nan(rerank: bool):
    made = samples()
    made[3]['feature'][0] = math.inf
    metrics = evaluate(made, rerank=rerank)
    assert set(metrics) == set(evaluate(samples(), rerank=rerank))
    assert all(math.isnan(value) for value in metrics.values())


@pytest.mark.parametrize('role', ['query', 'gallery'])
def test_a_role_is_missing(role: str):
    made = [sample for sample in samples() if sample['role'] != role]
    with pytest.raises(ValueError, match=f'no {role} image to evaluate'):
        evaluate(made)


def test_unknown_distance():
    with pytest.raises(ValueError, match=r"'cosine', 'euclidean'.*'manhattan'"):
        ReIDMetric(distance='manhattan')
    with pytest.raises(ValueError, match='manhattan'):
        pairwise_distance(torch.ones(1, 2), torch.ones(1, 2), 'manhattan')


def test_what_is_collected_is_small():
    """A model's features are views of their batch, which pickle would copy for each."""
    batch = torch.zeros(64, 1000)
    made = [
        dict(feature=row, person_id=0, camera_id=0, role='query', img_path='1.jpg') for row in batch
    ]
    metric = ReIDMetric()
    metric.process({}, made)
    assert len(pickle.dumps(metric.results)) < 2 * batch.nbytes


def test_exported_features(tmp_path: Path):
    made = samples()
    evaluate(made, features_file=str(tmp_path / 'deep' / 'features.npz'))
    query, gallery = load_features(tmp_path / 'deep' / 'features.npz')
    expected_query, expected_gallery, labels = arguments(made)
    assert torch.equal(query.features, expected_query)
    assert torch.equal(gallery.features, expected_gallery)
    tensors = query.ids, gallery.ids, query.cameras, gallery.cameras
    assert [tensor.tolist() for tensor in tensors] == labels
    assert query.paths == [s['img_path'] for s in made if s['role'] == 'query']
    np.savez(tmp_path / 'other.npz', a=1)
    with pytest.raises(ValueError, match='query_features'):
        load_features(tmp_path / 'other.npz')


def test_files_of_features_that_do_not_fit(tmp_path: Path):
    path = tmp_path / 'features.npz'
    evaluate(samples(), features_file=str(path))
    arrays = dict(np.load(path))
    np.savez(path, **{**arrays, 'query_ids': arrays['query_ids'][1:]})
    with pytest.raises(ValueError, match=r'lengths \[12, 11, 12, 12\]'):
        load_features(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=r'features\.npz is no file of exported features'):
        load_features(path)
    np.save(tmp_path / 'one.npy', np.ones(3))
    with pytest.raises(ValueError, match='it holds one array'):
        load_features(tmp_path / 'one.npy')


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    evaluate(samples(), features_file='~/deep/features.npz')
    assert len(load_features('~/deep/features.npz')[0].ids) == 12


REPLICA = """
import sys
import torch.distributed as dist
from mmengine.dist import get_dist_info
from test_reid_metric import samples
from amlfs_mm.evaluation import ReIDMetric

dist.init_process_group('gloo')
rank, world = get_dist_info()
made = samples(queries=12, gallery=49)
# As mmengine's DefaultSampler: every world-th, padded from the start to equal lengths.
padded = made + made[: -len(made) % world]
metric = ReIDMetric(rerank=True)
metric.process({}, padded[rank::world])
metrics = metric.evaluate(len(made))
if rank == 0:
    print('RESULT', sorted(metrics.items()))
dist.destroy_process_group()
"""


def test_replicas_are_put_together(tmp_path: Path):
    """61 samples on 3 processes: two are padding and must not count."""
    script = tmp_path / 'replica.py'
    script.write_text(REPLICA)
    launcher = [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=3']
    here = Path(__file__).parent
    done = run(
        [*launcher, f'--master_port={free_port()}', script],
        PYTHONPATH=f'{here}:{here.parent}:{here.parent.parent}',
        OMP_NUM_THREADS='1',
    )
    assert done.returncode == 0, done.stdout[-3000:]
    expected = sorted(evaluate(samples(queries=12, gallery=49), rerank=True).items())
    (line,) = [line for line in done.stdout.splitlines() if line.startswith('RESULT')]
    assert [(k.removeprefix('reid/'), pytest.approx(v)) for k, v in expected] == [
        (k.removeprefix('reid/'), v) for k, v in eval(line.removeprefix('RESULT'))
    ]
