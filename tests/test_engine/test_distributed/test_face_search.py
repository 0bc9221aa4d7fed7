"""A face search as a person starts it, on drawn faces in folders and in record files."""

import json
from pathlib import Path

import pytest
from helpers.face_data import face_root  # noqa: F401
from helpers.jobs import Job, no_survivors  # noqa: F401
from helpers.runs import ROOT, free_port, run

from amlfs_mm.analysis.runs.records import read_records

CONFIG = ROOT / 'configs' / 'amlfs_sphereface20_casia.py'
# Sizes alone: batch, iterations, candidates, width, D_v's share of so few identities.
SMALL = [
    'train_cfg.max_epochs=2',
    'custom_hooks.0.num_candidates=2',
    'train_dataloader.batch_size=4',
    'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0',
    'train_dataloader.batch_sampler.num_batches=2',
    'train_dataloader.dataset.held_out=0.3',
    'val_dataloader.dataset.held_out=0.3',
    'model.backbone.base_channels=4',
    'model.head.num_classes=16',
]
OF_RECORDS = [
    'train_dataloader.dataset.data_root={}/ms1m-retinaface-t1',
    'val_dataloader.dataset.data_root={}/ms1m-retinaface-t1',
    'train_dataloader.dataset.exclude=[]',
    'val_dataloader.dataset.exclude=[]',
    'model.backbone.input_size=(112,112)',
]


@pytest.mark.parametrize('source', ['folders', 'records'])
def test_the_paper_s_search_on_four_processes(
    source: str,
    face_root: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    """``tools/dist_train.sh configs/amlfs_sphereface20_casia.py 64`` with 4 processes."""
    monkeypatch.setenv('DATA_ROOT', str(face_root))
    options = [*SMALL, *(option.format(face_root) for option in OF_RECORDS * (source == 'records'))]
    job = Job(tmp_path, '--cfg-options', *options, config=CONFIG, processes=4).finish()
    assert '4 process(es) = 2 sub-runner(s) x 2 replica(s); 2 candidates, 1 each' in job.log()
    records = read_records(tmp_path / 'loss_search.jsonl')
    assert len(records) == 2
    for record in records:
        assert all(0 <= reward <= 100 for reward in record['reward'])
        assert len(record['theta'][0]) == 24


@pytest.mark.slow
def test_its_test(face_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # noqa: F811
    """LFW's pairs, through ``dist_test.sh`` with 2 processes."""
    monkeypatch.setenv('DATA_ROOT', str(face_root))
    Job(tmp_path, '--cfg-options', *SMALL, config=CONFIG, processes=2).finish()
    out = tmp_path / 'test.json'
    command = ['bash', 'tools/dist_test.sh', CONFIG, tmp_path / 'epoch_2.pth', 2, '--out', out]
    done = run([*command, '--cfg-options', *SMALL], PORT=str(free_port()))
    assert done.returncode == 0, done.stdout[-5000:]
    metrics = json.loads(out.read_text())
    assert 0 < metrics['face/verification'] <= 100
