"""Warm-up, and rounds of several epochs."""

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.jobs import Job, no_survivors  # noqa: F401
from helpers.runs import assert_equal, assert_same_run, build, load
from mmengine.hooks import Hook

from amlfs_mm.analysis.runs.records import read_records
from amlfs_mm.datasets import make_reproducible
from amlfs_mm.engine.search_schedule import SearchSchedule
from amlfs_mm.search import SearchSpace


def rounds(schedule: SearchSchedule) -> list[list[int]]:
    epoch, found = 0, []
    while epoch < schedule.max_epochs:
        found.append(list(schedule.round_from(epoch)))
        epoch = found[-1][-1] + 1
    return found


@pytest.mark.parametrize(
    ('schedule', 'expected'),
    [
        (SearchSchedule(3), [[0], [1], [2]]),
        (SearchSchedule(4, 2), [[0], [1], [2], [3]]),
        (SearchSchedule(6, 1, 2), [[0], [1, 2], [3, 4], [5]]),
    ],
)
def test_rounds(schedule: SearchSchedule, expected: list):
    schedule.check()
    assert rounds(schedule) == expected
    assert schedule.starts_of_rounds() == [epochs[0] for epochs in expected]


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'custom_hooks.0.warmup_epochs': 3}, r'from 0 to 2 \(max_epochs - 1\), got 3'),
        ({'custom_hooks.0.warmup_epochs': -1}, 'got -1'),
        ({'custom_hooks.0.search_every': 0}, 'search_every must be a whole number >= 1, got 0'),
        (
            {'custom_hooks.0.search_every': 2, 'default_hooks.checkpoint.interval': 2},
            'checkpoint.interval=2 with search_every=2 would save within a round: set it to 1',
        ),
        ({'default_hooks.checkpoint.max_keep_ckpts': 1}, 'set it to 2 or more'),
        ({'default_hooks.checkpoint.by_epoch': False}, 'by_epoch=False'),
    ],
)
def test_refused(tmp_path: Path, changes: dict, message: str):
    with pytest.raises(ValueError, match=message):
        build(tmp_path, **changes).train()


OPTIONS = [
    '--cfg-options',
    'train_cfg.max_epochs=6',
    'custom_hooks.0.warmup_epochs=1',
    'custom_hooks.0.search_every=2',
    'custom_hooks.0.num_candidates=3',
]


@pytest.fixture(scope='module')
def rounds_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work_dir = tmp_path_factory.mktemp('rounds')
    Job(work_dir, *OPTIONS).finish()
    return work_dir


def test_what_is_written(rounds_run: Path):
    records = read_records(rounds_run / 'loss_search.jsonl')
    assert [(r['first_epoch'], r['epoch'], r['warmup']) for r in records] == [
        (1, 1, True),
        (2, 3, False),
        (4, 5, False),
        (6, 6, False),
    ]
    identity = SearchSpace(6).identity().tolist()
    assert records[0]['theta'] == [identity]
    assert records[0]['mu'] == records[0]['mu_before'] == identity
    assert [len(r['reward']) for r in records] == [1, 3, 3, 3]
    assert records[1]['mu'] != records[1]['mu_before']
    # Only winners are saved; max_keep_ckpts keeps the last three.
    assert sorted(p.name for p in rounds_run.glob('epoch_*')) == [
        f'epoch_{n}.pth' for n in (3, 5, 6)
    ]
    assert load(rounds_run / 'epoch_5.pth')['meta']['iter'] == 5 * 6
    # The schedule, epoch by epoch.
    epochs = load_schedule(rounds_run)
    assert [e['epoch'] for e in epochs] == [1, 2, 3, 4, 5, 6]
    assert epochs[1]['theta'] == epochs[2]['theta'] == records[1]['theta'][records[1]['best']]


def load_schedule(work_dir: Path) -> list[dict]:
    return json.loads((work_dir / 'loss_schedule.json').read_text())['epochs']


@pytest.mark.parametrize('processes', [2, pytest.param(3, marks=pytest.mark.slow)])
def test_rounds_on_several_processes(rounds_run: Path, tmp_path: Path, processes: int):
    Job(tmp_path, *OPTIONS, processes=processes).finish()
    assert_same_run(rounds_run, tmp_path, 'epoch_6.pth')


def test_stopped_within_a_round(rounds_run: Path, tmp_path: Path):
    """In the second epoch of a round, and again."""
    for text in ('[3][6/6]', '[5][6/6]'):
        job = Job(tmp_path, '--resume', *OPTIONS, processes=2)
        job.wait_for(text)
        os.kill(job.pids[1], signal.SIGTERM)
        assert job.wait() == [75, 75], job.everything()
    Job(tmp_path, '--resume', *OPTIONS).finish()
    assert_same_run(rounds_run, tmp_path, 'epoch_6.pth')


def test_stopped_when_one_sub_runner_had_finished_its_round(rounds_run: Path, tmp_path: Path):
    """After the resume it waits for the rewards from the round's first epoch on."""
    job = Job(tmp_path, '--resume', *OPTIONS, processes=2)
    deadline = time.monotonic() + 60
    while not (tmp_path / 'epoch_1.pth').exists():
        assert time.monotonic() < deadline, job.everything()
        time.sleep(0.002)
    os.kill(job.pids[1], signal.SIGSTOP)
    job.wait_for('[3][6/6]')  # of candidate 0
    time.sleep(3)  # candidate 2, and evaluations
    os.kill(job.pids[0], signal.SIGTERM)
    time.sleep(1)
    os.kill(job.pids[1], signal.SIGCONT)
    assert job.wait() == [75, 75], job.everything()
    Job(tmp_path, '--resume', *OPTIONS, processes=2).finish()
    assert_same_run(rounds_run, tmp_path, 'epoch_6.pth')


def test_a_round_of_one_plain_candidate_is_plain_training(tmp_path: Path):
    """B = 1, sigma = 0: rounds of 3 epochs end where rounds of 1 epoch do, schedules included."""
    ends = []
    for every in (1, 3):
        options = {
            'custom_hooks.0.num_candidates': 1,
            'custom_hooks.0.policy.sigma': 0.0,
            'custom_hooks.0.search_every': every,
        }
        build(tmp_path / str(every), **options).train()
        ends.append(load(tmp_path / str(every) / 'epoch_3.pth'))
    for key in ('state_dict', 'optimizer', 'param_schedulers'):
        assert_equal(ends[0][key], ends[1][key], key)


def test_the_winner_of_a_round_trained_all_of_it(tmp_path: Path):
    """Each candidate's second epoch has its own order: replayed by hand for the winner."""
    options = {
        'train_cfg.max_epochs': 2,
        'custom_hooks.0.search_every': 2,
        'custom_hooks.0.num_candidates': 3,
    }
    build(tmp_path / 'search', **options).train()
    (record,) = read_records(tmp_path / 'search' / 'loss_search.jsonl')
    theta = torch.tensor(record['theta'][record['best']])
    alone = build(tmp_path / 'alone', **{**options, 'custom_hooks': []})

    class Replay(Hook):
        def before_train(self, runner):
            loop = runner.train_loop
            loop.dataloader = make_reproducible(loop.dataloader, runner.seed)

        def before_train_epoch(self, runner):
            runner.model.head.set_theta(theta)
            runner.train_dataloader.batch_sampler.set_epoch(runner.epoch, record['best'])

    alone.register_hook(Replay(), priority='LOW')
    model = alone.train()
    for name, weight in load(tmp_path / 'search' / 'epoch_2.pth')['state_dict'].items():
        assert torch.equal(weight, model.state_dict()[name]), name
    assert np.isfinite(record['reward']).all()
