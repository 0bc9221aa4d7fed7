"""Replicas inside a candidate: DDP, samplers, buffers, EMA, accumulation, mixed precision."""

import shutil
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.jobs import Job, config_with, no_survivors  # noqa: F401
from helpers.runs import assert_equal, load

from amlfs_mm.analysis.runs.records import read_records

# Group norm: with batch norm a replica normalises by its own half of the batch (SyncBN needs GPUs).
GROUP_NORM = "model = dict(backbone=dict(norm_cfg=dict(type='GN', num_groups=2)))\n"
EPOCHS = ['--cfg-options', 'train_cfg.max_epochs=2']


def losses(directory: Path) -> dict[tuple[int, int], np.ndarray]:
    """(epoch, candidate) -> the loss of each iteration, mean over the replicas."""
    curves = defaultdict(list)
    for path in directory.glob('losses_*.txt'):
        of_rank = defaultdict(list)
        for line in path.read_text().splitlines():
            epoch, candidate, loss = line.split()
            of_rank[int(epoch), int(candidate)].append(float(loss))
        for key, curve in of_rank.items():
            curves[key].append(curve)
    return {key: np.mean(parts, axis=0) for key, parts in curves.items()}


# 4 of 6 iterations: an update crosses the epochs.
@pytest.mark.parametrize('accumulate', [1, pytest.param(4, marks=pytest.mark.slow)])
def test_two_replicas_are_one_with_twice_the_batch(tmp_path: Path, accumulate: int):
    """8 processes as 4 x 2 with batch 8 against one process with batch 16."""
    runs = {}
    for name, processes, replicas, batch in (('one', 1, 1, 16), ('grid', 8, 2, 8)):
        directory = tmp_path / name
        directory.mkdir()
        more = GROUP_NORM + (
            f'loss_search = dict(replicas_per_candidate={replicas})\n'
            f'train_dataloader = dict(batch_size={batch})\n'
            f'optim_wrapper = dict(accumulative_counts={accumulate})\n'
        )
        config = config_with(
            directory, dict(type='RecordLosses', directory=str(directory)), more=more
        )
        Job(directory / 'work', *EPOCHS, config=config, processes=processes).finish()
        records = read_records(directory / 'work' / 'loss_search.jsonl')
        runs[name] = losses(directory), records, load(directory / 'work' / 'epoch_2.pth')
    (one, one_records, one_end), (grid, grid_records, grid_end) = runs['one'], runs['grid']
    assert one.keys() == grid.keys() == {(e, c) for e in range(2) for c in range(4)}
    for key, curve in one.items():
        assert len(curve) == 6
        np.testing.assert_allclose(grid[key], curve, rtol=1e-4, err_msg=str(key))
    for a, b in zip(one_records, grid_records, strict=True):
        assert a['best'] == b['best']
        np.testing.assert_allclose(a['reward'], b['reward'])
        np.testing.assert_allclose(a['mu'], b['mu'], atol=1e-6)
    for name, weight in one_end['state_dict'].items():
        if 'count' not in name:
            torch.testing.assert_close(grid_end['state_dict'][name], weight, rtol=1e-3, atol=1e-5)


def test_replicas_stay_one_model(tmp_path: Path):
    """Batch norm's statistics, SyncBuffersHook, EMA: what is saved is what each replica has."""
    more = (
        'loss_search = dict(replicas_per_candidate=2)\n'
        "optim_wrapper = dict(_delete_=True, type='CPUAmpOptimWrapper', accumulative_counts=2,\n"
        "    optimizer=dict(type='SGD', lr=0.05, momentum=0.9))\n"
    )
    hooks = [
        dict(type='EMAHook', momentum=0.1),
        dict(type='SyncBuffersHook'),
        dict(type='SaveEveryRank', directory=str(tmp_path)),
    ]
    config = config_with(tmp_path, *hooks, more=more)
    Job(tmp_path / 'work', *EPOCHS, config=config, processes=4).finish()
    states = [torch.load(tmp_path / f'rank_{rank}.pth', weights_only=True) for rank in range(4)]
    for other in states[1:]:
        assert_equal(states[0], other, 'state')
    assert states[0]['scale'] != 2.0**16  # it has moved, and with it each replica's
    checkpoint = load(tmp_path / 'work' / 'epoch_2.pth')
    ema = {f'module.{name}': weight for name, weight in checkpoint['state_dict'].items()}
    for name, weight in ema.items():
        assert torch.equal(weight, states[0]['ema'][name]), name
    # The scaler's state is in the checkpoint, and resumed.
    assert checkpoint['optimizer']['loss_scaler']['scale'] == states[0]['scale']


def test_mixed_precision_with_accumulation_resumes_exactly(tmp_path: Path):
    """Half of an update is pending at the end of an epoch; bfloat16 autocast with a loss scaler."""
    more = (
        "optim_wrapper = dict(_delete_=True, type='CPUAmpOptimWrapper', accumulative_counts=4,\n"
        "    optimizer=dict(type='SGD', lr=0.05, momentum=0.9))\n"
    )
    config = config_with(tmp_path, more=more)
    Job(tmp_path / 'whole', *EPOCHS, config=config).finish()
    work_dir = tmp_path / 'resumed'
    work_dir.mkdir()
    shutil.copy(tmp_path / 'whole' / 'epoch_1.pth', work_dir)
    assert load(work_dir / 'epoch_1.pth')['loss_search']['gradients']
    Job(work_dir, '--resume', *EPOCHS, config=config, processes=2).finish()
    whole, resumed = load(tmp_path / 'whole' / 'epoch_2.pth'), load(work_dir / 'epoch_2.pth')
    for key in ('state_dict', 'optimizer', 'loss_search'):
        assert_equal(whole[key], resumed[key], key)


@pytest.mark.parametrize('find', [True, False])
def test_parameters_that_no_loss_uses(tmp_path: Path, find: bool):
    """DDP waits for their gradients unless it is told to look for them."""
    more = (
        'loss_search = dict(replicas_per_candidate=2, num_candidates=2)\n'
        "model = dict(neck=dict(type='PoolWithSpareLayer', _delete_=True))\n"
        f'find_unused_parameters = {find}\n'
    )
    job = Job(tmp_path / 'work', *EPOCHS, config=config_with(tmp_path, more=more), processes=2)
    if find:
        job.finish()
        assert 'neck.spare.weight' in load(tmp_path / 'work' / 'epoch_2.pth')['state_dict']
    else:
        assert 0 not in job.wait()
        assert 'find_unused_parameters=True' in job.log()
