"""Training with class weights over the replicas: search, hand-over, checkpoints, resume."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from helpers.jobs import Job, no_survivors  # noqa: F401
from helpers.reid_data import people_root  # noqa: F401
from helpers.runs import ROOT, assert_equal, assert_same_run, load
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS

from amlfs_mm.analysis.runs.records import read_records

CLASSES = 19  # not divisible by 2

SMALL = f"""
_base_ = [{str(ROOT / 'configs/small/synthetic_people/amlfs_spherereid_synthetic.py')!r}]
custom_imports = dict(imports=['amlfs_mm', 'helpers.faults'])
model = dict(
    backbone=dict(base_channels=4, stem_channels=4),
    neck=dict(in_channels=32, out_channels=16, dropout=0.0),
    head=dict(num_classes={CLASSES}, in_channels=16),
)
train_cfg = dict(max_epochs=2, val_interval=1)
optim_wrapper = dict(
    _delete_=True,
    optimizer=dict(type='SGD', lr=0.02, momentum=0.9, weight_decay=5e-4),
    clip_grad=dict(max_norm=2.0),
)
loss_search = dict(num_candidates=2, replicas_per_candidate=2)
visualizer = dict(vis_backends=[dict(type='LocalVisBackend')])
"""
SIZES = [
    'train_dataloader.dataset.pipeline.1.scale=(16,32)',
    'val_dataloader.dataset.pipeline.1.scale=(16,32)',
    'train_dataloader.batch_size=16',
    'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0',
]
SHARDED = 'model.head.sharded=True'


def config_in(tmp_path: Path, data_root: Path, more: str = '') -> Path:
    """The small search, started from weights that a head of either kind loads."""
    config, start = tmp_path / 'config.py', tmp_path / 'start.pth'
    for part in ('train', 'val', 'test'):
        more += f'{part}_dataloader = dict(dataset=dict(data_root={str(data_root)!r}))\n'
    config.write_text(f'{SMALL}load_from = {str(start)!r}\n{more}')
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(Config.fromfile(config).model)
    model.init_weights()
    torch.save(dict(state_dict=model.state_dict()), start)
    return config


def train(work_dir: Path, config: Path, processes: int, *options: str, resume: bool = False) -> Job:
    arguments = ['--resume'] if resume else []
    arguments += ['--cfg-options', *SIZES, *options]
    return Job(work_dir, *arguments, config=config, processes=processes).finish()


def momentum(checkpoint: dict) -> list[torch.Tensor]:
    state = checkpoint['optimizer']['state']
    return [state[index]['momentum_buffer'] for index in sorted(state)]


@pytest.mark.parametrize('processes', [2, pytest.param(4, marks=pytest.mark.slow)])
def test_a_search_over_shards_is_that_of_the_whole_head(
    tmp_path: Path,
    people_root: Path,  # noqa: F811
    processes: int,
):
    """2 candidates of 2 replicas: rewards, weights and momentum, under DDP with clipped gradients.

    One epoch: after more the last bits of a sum have grown.
    """
    config = config_in(tmp_path, people_root)
    ends = []
    for name, options in dict(whole=[], sharded=[SHARDED]).items():
        work_dir = tmp_path / name
        train(work_dir, config, processes, 'train_cfg.max_epochs=1', *options)
        ends.append((load(work_dir / 'epoch_1.pth'), read_records(work_dir / 'loss_search.jsonl')))
    (whole, (whole_record,)), (sharded, (sharded_record,)) = ends
    assert sharded['state_dict'].keys() == whole['state_dict'].keys()
    assert sharded['state_dict']['head.fc.weight'].shape == (CLASSES, 16)
    for name, weight in whole['state_dict'].items():
        torch.testing.assert_close(sharded['state_dict'][name], weight, rtol=1e-3, atol=1e-4)
    for one, other in zip(momentum(sharded), momentum(whole), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-3)
    assert sharded_record['best'] == whole_record['best']
    assert sharded_record['reward'] == pytest.approx(whole_record['reward'], abs=0.5)


@pytest.mark.slow
def test_the_same_search_with_one_and_two_sub_runners(
    tmp_path: Path,
    people_root: Path,  # noqa: F811
):
    """The winner's shards go from replica to replica: bit for bit."""
    config = config_in(tmp_path, people_root)
    for processes in (2, 4):
        train(tmp_path / str(processes), config, processes, SHARDED)
    assert_same_run(tmp_path / '2', tmp_path / '4', 'epoch_2.pth')


@pytest.mark.slow
def test_resume_on_any_number_of_replicas(
    tmp_path: Path,
    people_root: Path,  # noqa: F811
):
    """Accumulated gradients, a loss scaler and an averaged model besides weights and momentum."""
    more = (
        "optim_wrapper = dict(_delete_=True, type='CPUAmpOptimWrapper', accumulative_counts=2,\n"
        "    optimizer=dict(type='SGD', lr=0.05, momentum=0.9), clip_grad=dict(max_norm=2.0))\n"
        "custom_hooks = [*_base_.custom_hooks, dict(type='EMAHook', momentum=0.1)]\n"
    )
    config = config_in(tmp_path, people_root, more)
    train(tmp_path / 'run', config, 2, SHARDED)
    first = load(tmp_path / 'run' / 'epoch_1.pth')
    for processes in (2, 1, 4):
        work_dir = tmp_path / f'resumed_{processes}'
        work_dir.mkdir()
        shutil.copy(tmp_path / 'run' / 'epoch_1.pth', work_dir)
        replicas = f'loss_search.replicas_per_candidate={processes}'
        train(work_dir, config, processes, SHARDED, replicas, resume=True)
        end = load(work_dir / 'epoch_2.pth')
        shapes = [value.shape for value in momentum(first)]
        assert [value.shape for value in momentum(end)] == shapes
        assert torch.Size((CLASSES, 16)) in shapes
        if processes == 2:
            whole = load(tmp_path / 'run' / 'epoch_2.pth')
            for key in ('state_dict', 'ema_state_dict', 'optimizer', 'loss_search'):
                assert_equal(whole[key], end[key], key)
