"""FaceVerification and FaceIdentification: the plain functions behind MMEngine's interface."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from helpers.jobs import CONTEXT
from mmengine.registry import METRICS
from mmengine.structures import BaseDataElement

from amlfs_mm.evaluation import (
    gallery_identification_rate,
    identification_rate,
    true_accept_rates,
    verification_accuracy,
)
from amlfs_mm.evaluation.faces.verification import draw_pairs

IS_SAME = [bool(i % 3) for i in range(31)]


def images(seed: int = 0, count: int = 62, roles: tuple = ('probe', 'gallery')) -> list[dict]:
    """Data samples as a model leaves them, in the data set's order."""
    draw = np.random.default_rng(seed)
    return [
        dict(
            sample_idx=i,
            feature=torch.tensor(draw.standard_normal(4), dtype=torch.float32),
            person_id=int(draw.integers(0, 6)),
            role=roles[int(draw.integers(0, len(roles)))],
        )
        for i in range(count)
    ]


def evaluate(
    type_: str, made: list[dict], meta: dict | None = None, size: int | None = None, **options
) -> dict:
    metric = METRICS.build(dict(type=f'amlfs_mm.{type_}', **options))
    metric.dataset_meta = meta or {}
    for start in range(0, len(made), 7):
        metric.process({}, made[start : start + 7])
    return metric.evaluate(size or len(made))


def columns(made: list[dict], role: str) -> tuple:
    part = [sample for sample in made if sample['role'] == role]
    return torch.stack([s['feature'] for s in part]), [s['person_id'] for s in part]


def test_verification_is_the_plain_functions():
    made = images()
    features = torch.stack([sample['feature'] for sample in made])
    arguments = features[0::2], features[1::2], IS_SAME
    scores = verification_accuracy(*arguments, folds=5)
    expected = {
        'face/verification': scores['accuracy'],
        'face/verification_std': scores['accuracy_std'],
        'face/verification_threshold': scores['threshold'],
        **{f'face/{k}': v for k, v in true_accept_rates(*arguments, (0.1, 0.5)).items()},
    }
    options = dict(folds=5, false_accept_rates=(0.1, 0.5))
    for order in (made, made[::-1]):
        assert evaluate('FaceVerification', order, dict(is_same=IS_SAME), **options) == expected
    named = evaluate('FaceVerification', made, dict(is_same=IS_SAME), prefix='lfw')
    assert 'lfw/verification' in named
    assert 'lfw/tar_at_far_0.001' in named


def test_identification_on_held_out_identities():
    made = images()
    rates = gallery_identification_rate(*columns(made, 'probe'), *columns(made, 'gallery'), (1, 5))
    expected = {f'face/{name}': value for name, value in rates.items()}
    assert 0 < expected['face/rank1'] < expected['face/rank5']
    assert evaluate('FaceIdentification', made, ranks=(1, 5)) == expected
    elements = []
    for sample in made:
        elements.append(BaseDataElement(metainfo={k: sample[k] for k in sample if k != 'feature'}))
        elements[-1].feature = sample['feature']
    dicts = [element.to_dict() for element in elements]  # as mmengine's evaluator does
    assert evaluate('FaceIdentification', dicts, ranks=(1, 5)) == expected


def test_identification_among_distractors():
    made = images(roles=('probe', 'distractor'))
    rates = identification_rate(*columns(made, 'probe'), columns(made, 'distractor')[0])
    assert evaluate('FaceIdentification', made) == {'face/rank1': rates['rank1']}


@pytest.mark.parametrize('type_', ['FaceVerification', 'FaceIdentification'])
@pytest.mark.parametrize('value', [math.inf, math.nan])
def test_a_diverged_model_scores_nan(type_: str, value: float):
    made, meta = images(), dict(is_same=IS_SAME)
    names = set(evaluate(type_, made, meta))
    made[9]['feature'][1] = value
    metrics = evaluate(type_, made, meta)
    assert set(metrics) == names
    assert all(math.isnan(value) for value in metrics.values())


def test_bad_data():
    with pytest.raises(ValueError, match=r"metainfo\['is_same'\]"):
        evaluate('FaceVerification', images())
    with pytest.raises(ValueError, match=r'31 pairs are 62 images.*got 60, numbers 0 to 59'):
        evaluate('FaceVerification', images(count=60), dict(is_same=IS_SAME))
    with pytest.raises(ValueError, match='60 pairs'):
        evaluate('FaceVerification', images(), dict(is_same=[True] * 60))
    for roles in (('probe',), ('gallery',), ('probe', 'gallery', 'distractor'), ('query', 'probe')):
        with pytest.raises(ValueError, match='have the roles'):
            evaluate('FaceIdentification', images(roles=roles))
    made = images()
    del made[3]['sample_idx'], made[3]['role']
    with pytest.raises(ValueError, match=r"needs \['sample_idx', 'role'\].*meta_keys"):
        evaluate('FaceIdentification', made)
    with pytest.raises(ValueError, match='from 1'):
        METRICS.build(dict(type='amlfs_mm.FaceIdentification', ranks=(0,)))


def replica(rank: int, world: int, folder: Path) -> None:
    """One of several processes that share the samples as mmengine's DefaultSampler shares them:
    every world-th, padded from the start to equal lengths."""
    os.environ['LOCAL_RANK'] = str(rank)
    dist.init_process_group('gloo', f'file://{folder}/store', rank=rank, world_size=world)
    results = []
    for type_, made in (('FaceVerification', images()), ('FaceIdentification', images(1, 61))):
        padded = made + made[: -len(made) % world]
        results.append(evaluate(type_, padded[rank::world], dict(is_same=IS_SAME), len(made)))
    (folder / f'{rank}.json').write_text(json.dumps(results))
    dist.destroy_process_group()


@pytest.mark.parametrize('world', [2, 3])
def test_replicas_are_put_together(world: int, tmp_path: Path):
    """62 and 61 samples: what is padding must not count."""
    ranks = [CONTEXT.Process(target=replica, args=(i, world, tmp_path)) for i in range(world)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join(120)
        process.kill()
    expected = [
        evaluate('FaceVerification', images(), dict(is_same=IS_SAME)),
        evaluate('FaceIdentification', images(1, 61)),
    ]
    for rank in range(world):
        assert json.loads((tmp_path / f'{rank}.json').read_text()) == expected


def test_verification_of_drawn_pairs():
    made = images(roles=('probe',))
    features = torch.stack([sample['feature'] for sample in made])
    first, second, is_same = draw_pairs([sample['person_id'] for sample in made])
    scores = verification_accuracy(features[first], features[second], is_same)
    for order in (made, made[::-1]):
        found = evaluate('FaceVerification', order, pairs='drawn')
        assert found['face/verification'] == scores['accuracy']
    with pytest.raises(ValueError, match='person_id'):
        evaluate('FaceVerification', [dict(sample_idx=0, feature=torch.ones(4))], pairs='drawn')
    with pytest.raises(ValueError, match="'listed' or 'drawn', got 'all'"):
        METRICS.build(dict(type='amlfs_mm.FaceVerification', pairs='all'))


def test_a_model_that_sets_no_feature():
    made = [{k: v for k, v in sample.items() if k != 'feature'} for sample in images()]
    with pytest.raises(
        ValueError, match=r"FaceIdentification needs 'feature'.*EmbeddingClassifier"
    ):
        evaluate('FaceIdentification', made)


@pytest.mark.parametrize('other', [dict(img_path='b/0.jpg'), dict(person_id=99)])
def test_two_images_of_one_number(other: dict):
    """Data sets that are put together count from 0 each: one image would hide the other."""
    made = [dict(sample, img_path=f'a/{sample["sample_idx"]}.jpg') for sample in images()]
    evaluate('FaceIdentification', [*made, made[3]])  # the same image again
    with pytest.raises(ValueError, match=r'two images with sample_idx=3 .*ConcatDataset'):
        evaluate('FaceIdentification', [*made, dict(made[3], **other)])
