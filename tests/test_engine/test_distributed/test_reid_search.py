"""Re-identification searches as a person starts them, on drawn data in Market-1501's layout."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from helpers.reid_data import people_root  # noqa: F401
from helpers.runs import ROOT, assert_same_run, free_port, run, train

from amlfs_mm.analysis.runs.records import read_records
from amlfs_mm.evaluation import reid_metrics
from amlfs_mm.evaluation.reid.features import load_features

# Sizes alone: images, batch, candidates, epochs, the width of the ResNet-50.
SMALL_MGN = [
    'train_cfg.max_epochs=2',
    'custom_hooks.0.num_candidates=2',
    'train_dataloader.batch_size=16',
    'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0',
    'test_dataloader.num_workers=0',
    'train_dataloader.dataset.pipeline.1.scale=(32,96)',
    'val_dataloader.dataset.pipeline.1.scale=(32,96)',
    'test_dataloader.dataset.pipeline.1.scale=(32,96)',
    'model.backbone.base_channels=4',
    'model.backbone.stem_channels=4',
    'model.backbone.init_cfg=None',
    'model.neck.in_channels=128',
    'model.head.in_channels=128',
]


@pytest.mark.slow
def test_the_command_people_type(people_root: Path, tmp_path: Path, monkeypatch):  # noqa: F811
    """``tools/dist_train.sh configs/amlfs_mgn_market.py 64`` with 4 processes, then testing."""
    monkeypatch.setenv('DATA_ROOT', str(people_root))
    config = ROOT / 'configs' / 'amlfs_mgn_market.py'
    done = train(tmp_path, '--cfg-options', *SMALL_MGN, config=config, processes=4)
    assert '4 process(es) = 2 sub-runner(s) x 2 replica(s); 2 candidates, 1 each' in done.stdout
    assert 'of 4 identities x 4 images' in done.stdout  # the replicas share them
    records = read_records(tmp_path / 'loss_search.jsonl')
    assert len(records) == 2
    for record in records:
        assert all(math.isfinite(reward) and 0 < reward < 100 for reward in record['reward'])
        assert len(record['theta'][0]) == 24

    out, features = tmp_path / 'test.json', tmp_path / 'features.npz'
    command = ['bash', 'tools/dist_test.sh', config, tmp_path / 'epoch_2.pth', 2, '--out', out]
    options = ['test_evaluator.rerank=True', f'test_evaluator.features_file={features}']
    arguments = ['--work-dir', tmp_path / 't', '--cfg-options', *SMALL_MGN, *options]
    done = run([*command, *arguments], PORT=str(free_port()))
    assert done.returncode == 0, done.stdout[-5000:]
    metrics = json.loads(out.read_text())
    for name in ('mAP', 'mAP_trapezoid', 'mINP', 'rank1', 'rank5', 'rank10'):
        assert 0 <= metrics[f'reid/{name}'] <= 100
        assert 0 <= metrics[f'reid/{name}_rerank'] <= 100
    # Two processes took every image once.
    query, gallery = load_features(features)
    distance = np.linalg.norm(query.features.numpy()[:, None] - gallery.features.numpy(), axis=2)
    labels = query.ids, gallery.ids, query.cameras, gallery.cameras
    assert math.isclose(reid_metrics(distance, *labels)['mAP'], metrics['reid/mAP'], rel_tol=1e-4)
    assert len(set(query.paths + gallery.paths)) == len(query.paths) + len(gallery.paths)


@pytest.mark.slow
def test_the_same_search_on_one_and_two_processes(
    people_root: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch,
):
    """Identity batches and mAP rewards, bit for bit."""
    monkeypatch.setenv('DATA_ROOT', str(people_root))
    options = [
        'train_cfg.max_epochs=2',
        'custom_hooks.0.num_candidates=3',
        'train_dataloader.batch_size=16',
        'train_dataloader.dataset.pipeline.1.scale=(16,32)',
        'val_dataloader.dataset.pipeline.1.scale=(16,32)',
    ]
    config = ROOT / 'configs/small/synthetic_people/amlfs_spherereid_synthetic.py'
    for processes in (1, 2):
        work_dir = tmp_path / str(processes)
        train(work_dir, '--cfg-options', *options, config=config, processes=processes)
    assert_same_run(tmp_path / '1', tmp_path / '2', 'epoch_2.pth')
    rewards = read_records(tmp_path / '1' / 'loss_search.jsonl')[-1]['reward']
    assert len(set(rewards)) > 1


def test_a_missing_data_set_is_told_at_once(tmp_path: Path, monkeypatch):
    monkeypatch.setenv('DATA_ROOT', str(tmp_path / 'nowhere'))
    config = ROOT / 'configs/small/synthetic_people/baseline_spherereid_synthetic.py'
    done = train(tmp_path / 'w', config=config, check=False)
    assert done.returncode != 0
    assert 'Expected this tree' in done.stdout
    assert 'bounding_box_train   (missing)' in done.stdout
