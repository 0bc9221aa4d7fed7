"""What goes wrong inside a run, for real: survived, or ended soon with one readable error."""

import math
import re
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers.jobs import Job, config_with, no_survivors  # noqa: F401
from helpers.runs import ROOT, assert_same_run, free_port, load, run

from amlfs_mm.analysis.runs.records import read_records

SHORT_TIMEOUT = 'env_cfg = dict(dist_cfg=dict(timeout=8))\n'


@pytest.mark.parametrize('what', ['nan', pytest.param('explode', marks=pytest.mark.faults)])
def test_diverged_candidates_at_different_ranks(tmp_path: Path, what: str):
    """Epoch 1: candidate 1 (rank 1). Epoch 2: 0 and 3 (both ranks). Epoch 3: all."""
    victims = [(1, 1), (2, 0), (2, 3), (3, None)]
    config = config_with(tmp_path, dict(type='Misbehave', what=what, where=victims))
    for processes in (1, 2):
        job = Job(tmp_path / str(processes), config=config, processes=processes).finish()
        assert 'all 4 candidates diverged' in job.log()
    records = read_records(tmp_path / '2' / 'loss_search.jsonl')
    lost = [[i for i, r in enumerate(record['reward']) if r is None] for record in records]
    assert lost == [[1], [0, 3], [0, 1, 2, 3]]
    assert records[2]['best'] is None
    assert_same_run(tmp_path / '1', tmp_path / '2')
    weights = load(tmp_path / '2' / 'epoch_3.pth')['state_dict'].values()
    assert all(torch.isfinite(weight).all() for weight in weights)


def test_a_diverged_candidate_of_two_replicas(tmp_path: Path):
    """NaN in one replica's weights alone: the candidate is lost, its replicas stay together."""
    victim = dict(type='Misbehave', what='nan', where=[(1, 1)], rank=3)
    config = config_with(tmp_path, victim, more='loss_search = dict(replicas_per_candidate=2)\n')
    options = ['--cfg-options', 'train_cfg.max_epochs=2']
    Job(tmp_path / 'work', *options, config=config, processes=4).finish()
    records = read_records(tmp_path / 'work' / 'loss_search.jsonl')
    assert [r is None for r in records[0]['reward']] == [False, True, False, False]
    assert all(math.isfinite(r) for r in records[1]['reward'])


def readable(job: Job, *parts: str) -> None:
    """One traceback in the whole job, at the rank that failed; the others say a line."""
    everything = ''.join(job.log(rank) for rank in range(len(job.ranks)))
    for part in parts:
        assert part in everything, job.everything()
    errors = re.findall(
        r'^amlfs_mm\.engine\.distributed\.failures\.CandidateError', everything, re.MULTILINE
    )
    assert len(errors) == 1, job.everything()


def test_a_rank_that_raises(tmp_path: Path):
    hook = dict(type='Misbehave', what='raise', where=[(2, 2)], rank=2)
    job = Job(tmp_path / 'work', config=config_with(tmp_path, hook), processes=4)
    job.wait_for('Search epoch 1/3')
    start = time.monotonic()
    assert set(job.wait(60)) == {1}
    assert time.monotonic() - start < 60
    failure = "rank 2 failed in epoch 2, candidate 2, iteration 3: KeyError: 'a bug in a plug-in'"
    readable(job, f'CandidateError: {failure}', f'rank 0 stops, for {failure}')


def test_a_replica_that_raises(tmp_path: Path):
    hook = dict(type='Misbehave', what='raise', where=[(1, 1)], rank=3)
    config = config_with(tmp_path, hook, more='loss_search = dict(replicas_per_candidate=2)\n')
    job = Job(tmp_path / 'work', config=config, processes=4)
    assert set(job.wait(60)) == {1}
    readable(job, 'rank 3 failed in epoch 1, candidate 1, iteration 3: KeyError', 'rank 2 in epoch')


def test_a_rank_that_hangs(tmp_path: Path):
    hook = dict(type='Misbehave', what='hang', where=[(1, 1)], rank=1)
    job = Job(tmp_path, config=config_with(tmp_path, hook, more=SHORT_TIMEOUT), processes=2)
    job.ranks[0].join(90)
    assert job.ranks[0].exitcode == 1, job.everything()
    readable(
        job,
        'no sign of life for 8 s (env_cfg.dist_cfg.timeout) from rank 1 (epoch 1, candidate 1',
    )


@pytest.mark.faults
def test_a_replica_that_hangs(tmp_path: Path):
    """Its partner waits in a collective; the others wait for both."""
    hook = dict(type='Misbehave', what='hang', where=[(1, 1)], rank=3)
    more = SHORT_TIMEOUT + 'loss_search = dict(replicas_per_candidate=2)\n'
    job = Job(tmp_path, config=config_with(tmp_path, hook, more=more), processes=4)
    for rank in (0, 1, 2):
        job.ranks[rank].join(90)
        assert job.ranks[rank].exitcode == 1, job.everything()
    readable(job, 'rank 3')


@pytest.mark.faults
def test_a_slow_rank_is_not_taken_for_a_dead_one(tmp_path: Path):
    """An epoch of 12 s and more against a timeout of 8 s, with signs of life all the time."""
    hook = dict(type='Misbehave', what='slow', where=[(1, 1)], rank=1)
    config = config_with(tmp_path, hook, more=SHORT_TIMEOUT)
    options = ['--cfg-options', 'train_cfg.max_epochs=1', 'custom_hooks.0.num_candidates=2']
    start = time.monotonic()
    Job(tmp_path, *options, config=config, processes=2).finish()
    assert time.monotonic() - start > 12


def test_a_loader_worker_that_dies(tmp_path: Path):
    pipeline = """
train_pipeline = [dict(type='KillLoader', index=40), *_base_.train_pipeline]
train_dataloader = dict(num_workers=1, dataset=dict(pipeline=train_pipeline))
in_memory_gib = 0  # images in memory need no workers
"""
    job = Job(tmp_path / 'work', config=config_with(tmp_path, more=pipeline), processes=2)
    assert set(job.wait(60)) == {1}
    readable(
        job, 'failed in epoch 1, candidate', 'DataLoader worker', 'is killed by signal: Killed'
    )


@pytest.mark.faults
def test_torchrun_starts_again_what_was_killed(tiny_run: Path, tmp_path: Path):
    """SIGKILL for rank 1 in epoch 2; MAX_RESTARTS=1 and nothing else: the same end."""
    hook = dict(type='Misbehave', what='kill', where=[(2, 1)], rank=1, once=str(tmp_path / 'note'))
    config = config_with(tmp_path, hook)
    command = ['bash', 'tools/dist_train.sh', config, '2', '--work-dir', tmp_path / 'work']
    done = run(
        command,
        MAX_RESTARTS='1',
        PORT=str(free_port()),
        PYTHONPATH=f'{ROOT}:{ROOT / "tests"}',
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert (tmp_path / 'note').exists()
    assert 'Resuming from' in done.stdout
    assert_same_run(tiny_run, tmp_path / 'work')


@pytest.mark.faults
def test_torchrun_shows_the_first_failure(tmp_path: Path):
    hook = dict(type='Misbehave', what='raise', where=[(1, 1)], rank=1)
    command = ['bash', 'tools/dist_train.sh', config_with(tmp_path, hook), '2']
    done = run(
        [*command, '--work-dir', tmp_path / 'work'],
        PORT=str(free_port()),
        PYTHONPATH=f'{ROOT}:{ROOT / "tests"}',
    )
    assert done.returncode == 1
    summary = done.stdout[done.stdout.index('Root Cause') :]
    assert 'rank 1 failed in epoch 1, candidate 1, iteration 3: KeyError' in summary


def images(folder: Path, number: int = 12) -> None:
    """``train`` and ``val`` with two classes of random 8 x 8 images, PNG."""
    generator = np.random.default_rng(0)
    for split in ('train', 'val', 'test'):
        for name in ('a', 'b'):
            (folder / split / name).mkdir(parents=True)
            for i in range(number):
                image = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                cv2.imwrite(str(folder / split / name / f'{i}.png'), image)


def image_config(tmp_path: Path, unreadable: str) -> Path:
    config = tmp_path / 'images.py'
    config.write_text(f"""
_base_ = [{str(ROOT / 'configs/extras/amlfs_resnet20_folder.py')!r}]
model = dict(backbone=dict(depth=8, base_channels=4), head=dict(in_channels=16, num_classes=2))
train_pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    dataset=dict(data_root={str(tmp_path / 'images')!r}, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(data_root={str(tmp_path / 'images')!r}, pipeline=train_pipeline),
)
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=2)
loss_search = dict(num_candidates=2, unreadable={unreadable!r}, replicas_per_candidate=1)
""")
    return config


@pytest.mark.parametrize(
    'damage',
    ['truncated', *(pytest.param(d, marks=pytest.mark.faults) for d in ('no image', 'empty'))],
)
def test_an_image_that_cannot_be_read(tmp_path: Path, damage: str):
    images(tmp_path / 'images')
    victim = tmp_path / 'images' / 'train' / 'b' / '3.png'
    content = victim.read_bytes()
    if damage == 'truncated':
        victim.write_bytes(content[:40])
    elif damage == 'no image':
        victim.write_text('<html>404</html>')
    else:
        victim.write_bytes(b'')

    job = Job(tmp_path / 'error', config=image_config(tmp_path, 'error'))
    assert job.wait(60) == [1], job.everything()
    assert f'training sample 17 ({victim}) cannot be read' in job.log()
    assert "set the hook's unreadable='skip'" in job.log()
    assert 'failed in epoch 1, candidate 0' in job.log()

    config = image_config(tmp_path, 'skip')
    for workers in (0, 2):
        options = [f'train_dataloader.num_workers={workers}']
        if workers == 0:
            options.append('train_dataloader.persistent_workers=False')
        job = Job(tmp_path / f'skip{workers}', '--cfg-options', *options, config=config).finish()
        assert f'training sample 17 ({victim}) cannot be read' in job.log()
        # Once an epoch and candidate.
        assert '2 unreadable samples replaced so far' in job.log()
        assert '4 unreadable samples replaced so far' in job.log()
    assert_same_run(tmp_path / 'skip0', tmp_path / 'skip2', 'epoch_2.pth')
