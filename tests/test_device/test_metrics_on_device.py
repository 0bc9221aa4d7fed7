"""Metrics of persons and faces on a device: the CPU's numbers, and few waits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.device_models import build
from helpers.standin_device import Traffic, counted, install
from mmengine.registry import METRICS
from mmpretrain.structures import DataSample
from torch import Tensor

from amlfs_mm.evaluation import (
    gallery_identification_rate,
    identification_rate,
    k_reciprocal_rerank,
    reid_metrics,
    true_accept_rates,
    verification_accuracy,
)
from amlfs_mm.evaluation.reid.distances import DISTANCES, pairwise_distance

DEVICE, CPU = install(), torch.device('cpu')
BATCH, BATCHES = 12, 5
PERSONS = 7
METRICS_OF_TEST = {
    'persons': dict(type='amlfs_mm.ReIDMetric', rerank=True, rerank_options=dict(k1=8, k2=3)),
    'listed pairs': dict(type='amlfs_mm.FaceVerification', folds=5),
    'drawn pairs': dict(type='amlfs_mm.FaceVerification', folds=5, pairs='drawn'),
    'held-out faces': dict(type='amlfs_mm.FaceIdentification', ranks=(1, 5)),
    'faces among distractors': dict(type='amlfs_mm.FaceIdentification', ranks=(1, 5)),
    'feature files': dict(type='amlfs_mm.MegaFaceFeatures'),
}


def batches(device: torch.device, other_role: str) -> list[list[dict]]:
    """Data samples as a model leaves them: the features of a batch are rows of one tensor."""
    draw = torch.Generator().manual_seed(0)
    features = torch.randn(BATCHES, BATCH, 6, generator=draw)
    numbers = range(BATCHES * BATCH)
    samples = [
        dict(
            sample_idx=n,
            img_path=f'/images/{n}.jpg',
            person_id=n % PERSONS,
            camera_id=n // PERSONS % 3,
            role='query' if other_role == 'gallery' and n % 3 == 0 else other_role,
        )
        for n in numbers
    ]
    made = []
    for batch, rows in enumerate(features.to(device)):
        part = samples[batch * BATCH : (batch + 1) * BATCH]
        made.append([dict(s, feature=row) for s, row in zip(part, rows, strict=True)])
    return made


def evaluate(name: str, device: torch.device, out_dir: Path) -> tuple[dict, Traffic]:
    options = dict(METRICS_OF_TEST[name])
    if name == 'feature files':
        options |= dict(out_dir=str(out_dir), image_root='/images')
    metric = METRICS.build(options)
    metric.dataset_meta = dict(is_same=[bool(n % 3) for n in range(BATCHES * BATCH // 2)])
    made = batches(device, 'distractor' if name == 'faces among distractors' else 'gallery')
    if name != 'persons':
        for batch in made:
            for sample in batch:
                if sample['sample_idx'] % 3 == 0:
                    sample['role'] = 'probe'
    with counted() as traffic:
        for batch in made:
            metric.process({}, batch)
        return metric.evaluate(BATCHES * BATCH), traffic


@pytest.mark.parametrize('name', METRICS_OF_TEST)
def test_a_metric_copies_once_a_batch(name: str, tmp_path: Path) -> None:
    wanted, _ = evaluate(name, CPU, tmp_path / 'cpu')
    found, traffic = evaluate(name, DEVICE, tmp_path / 'device')
    assert found == wanted
    assert not traffic.read_backs, traffic.read_backs
    assert traffic.to_host.total() == BATCHES, traffic.to_host
    for file in (tmp_path / 'cpu').rglob('*.bin'):
        assert (tmp_path / 'device' / file.name).read_bytes() == file.read_bytes()


def test_a_model_and_its_metric_wait_once_a_batch() -> None:
    model = build('SphereReID').to(DEVICE).eval()
    metric = METRICS.build(METRICS_OF_TEST['persons'])
    draw = torch.Generator().manual_seed(0)
    with counted() as traffic:
        for number in range(2):
            images = list(torch.randint(256, (8, 3, 32, 32), generator=draw, dtype=torch.uint8))
            samples = [
                DataSample(
                    metainfo=dict(
                        person_id=n % 4,
                        camera_id=n // 4,
                        role='gallery' if number else 'query',
                    )
                )
                for n in range(8)
            ]
            predicted = model.val_step(dict(inputs=images, data_samples=samples))
            assert predicted[0].feature.device == DEVICE
            metric.process({}, [sample.to_dict() for sample in predicted])
        metrics = metric.evaluate(16)
    assert 0 <= metrics['reid/mAP'] <= 100
    assert traffic.waits.total() == 2, traffic.waits


Features = Callable[[int, int], Tensor]
"""(seed, number of images) -> their features on a device."""


def persons_of(count: int) -> np.ndarray:
    return np.arange(count) % (count // 4)


def ranking(features: Features, count: int, kind: str = 'cosine') -> dict:
    query, gallery = features(0, count), features(1, 3 * count)
    ids = persons_of(count), np.where(np.arange(3 * count) % 9, persons_of(3 * count), -1)
    cameras = np.arange(count) % 2, np.arange(3 * count) // 2 % 2
    return reid_metrics(pairwise_distance(query, gallery, kind), *ids, *cameras)


def reranking(features: Features, count: int) -> Tensor:
    return k_reciprocal_rerank(features(0, count), features(1, 3 * count), k1=8, k2=3)


def identification(features: Features, count: int) -> dict:
    distractors = np.random.default_rng(2).standard_normal((50, 6), np.float32)
    return identification_rate(features(0, count), persons_of(count), [distractors], (1, 5))


def held_out_identification(features: Features, count: int) -> dict:
    probes, gallery = (features(0, count), persons_of(count)), (features(1, 40), persons_of(40))
    return gallery_identification_rate(*probes, *gallery, ranks=(1, 5, 60))


def verification(features: Features, count: int) -> dict:
    pairs = features(0, count), features(1, count), torch.arange(count) % 3 == 0
    return verification_accuracy(*pairs) | true_accept_rates(*pairs, (0.1,))


FUNCTIONS: dict[str, Callable[[Features, int], Any]] = {
    **{f'ranking by {kind}': lambda f, n, k=kind: ranking(f, n, k) for kind in DISTANCES},
    're-ranking': reranking,
    'identification': identification,
    'identification of held-out persons': held_out_identification,
    'verification': verification,
}


def on(device: torch.device, ties: bool = False) -> Features:
    def features(seed: int, count: int) -> Tensor:
        draw = np.random.default_rng(seed)
        values = draw.integers(-1, 2, (count, 6)) + 0.5 if ties else draw.normal(size=(count, 6))
        return torch.tensor(values, dtype=torch.float32).to(device)

    return features


@pytest.mark.parametrize('ties', [False, True], ids=['', 'ties'])
@pytest.mark.parametrize('name', FUNCTIONS)
def test_a_function_gives_the_cpus_numbers(name: str, ties: bool) -> None:
    wanted = FUNCTIONS[name](on(CPU, ties), 24)
    found = FUNCTIONS[name](on(DEVICE, ties), 24)
    if isinstance(found, Tensor):
        assert found.device == DEVICE
        assert torch.equal(found.cpu(), wanted)
    else:
        assert found == wanted


@pytest.mark.parametrize('name', FUNCTIONS)
def test_waits_do_not_grow_with_the_number_of_images(name: str) -> None:
    def waits(count: int) -> int:
        with counted() as traffic:
            FUNCTIONS[name](on(DEVICE), count)
        return traffic.waits.total()

    assert waits(12) == waits(48)
