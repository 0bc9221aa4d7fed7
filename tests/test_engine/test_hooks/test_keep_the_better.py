"""Search and control at the end: which model is kept, by how much; together with going back."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.jobs import Job, no_survivors  # noqa: F401
from helpers.runs import assert_equal, build, load
from mmengine.runner import load_checkpoint
from test_control import same_control
from test_go_back import LAST, SCHEDULE, SCRIPT, go_back_config, lineages, scripted
from test_loss_replay_hook import assert_same_model, replay

from amlfs_mm.analysis.runs.records import read_records


def choice(work_dir: Path) -> dict:
    return json.loads((work_dir / 'kept_model.json').read_text())


def right(work_dir: Path, model: str) -> np.ndarray:
    """100 or 0 for each image of D_v, as a saved model classifies it."""
    runner = build(work_dir / 'read')
    load_checkpoint(runner.model, str(work_dir / model))
    runner.model.eval()
    found = []
    for batch in runner.val_dataloader:
        samples = runner.model.val_step(batch)
        found += [100.0 * (s.pred_label.item() == s.gt_label.item()) for s in samples]
    return np.array(found)


@pytest.mark.parametrize('runner_type', ['amlfs_mm.LossSearchRunner', 'Runner'])
def test_the_difference_is_paired_over_the_images(tmp_path: Path, runner_type: str):
    options = {'loss_search.control': True, 'train_cfg.max_epochs': 2}
    build(tmp_path, runner_type, **options).train()
    differences = right(tmp_path, 'epoch_2.pth') - right(tmp_path, 'control.pth')
    found = choice(tmp_path)
    assert found['num_samples'] == len(differences) == 100
    assert found['difference'] == pytest.approx(differences.mean())
    assert found['difference'] == pytest.approx(found['search'] - found['control'])
    half = 1.96 * math.sqrt(differences.var(ddof=1) / 100)
    expected = [differences.mean() - half, differences.mean() + half]
    assert found['interval'] == pytest.approx(expected, abs=0.001)
    low, high = found['interval']
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert f'95 % interval [{low:+.2f}, {high:+.2f}] paired over 100 samples' in log


BOTH = dict(control=True)


@pytest.fixture(scope='module')
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2 samples and the control; the samples go back after the rounds 2, 3, 5 and 6."""
    work_dir = tmp_path_factory.mktemp('both')
    Job(work_dir, config=go_back_config(work_dir, **BOTH)).finish()
    return work_dir


def same_choice(one: Path, other: Path) -> None:
    same_control(one, other, LAST)
    assert choice(one) == choice(other)


def test_the_search_is_judged_by_the_model_that_it_went_back_to(searched: Path):
    """The rounds say 60 and something in epoch 4; the control's last says 54 and something."""
    assert [back_to for _, back_to in lineages(searched)] == [None, 1, 1, None, 4, 4]
    records, found = read_records(searched / 'loss_search.jsonl'), choice(searched)
    assert found['search'] == max(records[3]['reward'])
    assert found['search_epoch'] == 4
    assert found['control'] == records[5]['control']['reward']
    assert found['kept'] == 'search'
    assert found['interval'] is None
    kept = load(searched / 'kept_model.pth')['state_dict']
    for same in ('epoch_4.pth', LAST):
        assert_equal(kept, load(searched / same)['state_dict'], same)
    log = next(searched.glob('*/*.log')).read_text()
    assert 'without an interval: this metric is no mean over samples' in log


@pytest.mark.parametrize('processes', [2, 4])
def test_any_number_of_processes(searched: Path, tmp_path: Path, processes: int):
    """3 candidates on 2 sub-runners; on 4, of which one repeats work."""
    Job(tmp_path, config=go_back_config(tmp_path, **BOTH), processes=processes).finish()
    same_choice(searched, tmp_path)


@pytest.mark.parametrize('processes', [1, 3])
def test_resume(searched: Path, tmp_path: Path, processes: int):
    shutil.copy(searched / 'epoch_3.pth', tmp_path)
    config = go_back_config(tmp_path, **BOTH)
    Job(tmp_path, '--resume', config=config, processes=processes).finish()
    same_choice(searched, tmp_path)


def test_the_process_of_the_control_dies(searched: Path, tmp_path: Path):
    """SIGKILL for the third of three sub-runners, which trains the control; resumed on two."""
    kill = dict(type='Misbehave', what='kill', where=[(4, 2)], once=str(tmp_path / 'once'))
    config = go_back_config(tmp_path, kill, **BOTH)
    job = Job(tmp_path / 'work', config=config, processes=3)
    job.ranks[2].join(120)
    job.kill()
    assert (tmp_path / 'once').exists()
    Job(tmp_path / 'work', '--resume', config=config, processes=2).finish()
    same_choice(searched, tmp_path / 'work')


def test_replay(searched: Path, tmp_path: Path):
    """The schedule is the search's; the control has no part in it."""
    options = {
        'param_scheduler': SCHEDULE,
        'train_cfg.max_epochs': len(SCRIPT),
        'val_evaluator': scripted(SCRIPT),
    }
    schedule = searched / 'loss_schedule.json'
    build(tmp_path, **options, custom_hooks=replay(schedule)).train()
    assert_same_model(searched, tmp_path, LAST)


@pytest.mark.parametrize('where', [[(6, 2)], [(epoch, 2) for epoch in range(1, 7)]])
def test_a_control_that_diverges(tmp_path: Path, where: list, searched: Path):
    """In the last round: its model of the round before counts. In all: the search's is kept."""
    nan = dict(type='Misbehave', what='nan', where=where)
    Job(tmp_path, config=go_back_config(tmp_path, nan, **BOTH), processes=2).finish()
    records, found = read_records(tmp_path / 'loss_search.jsonl'), choice(tmp_path)
    lost = [record['epoch'] for record in records if record['control']['reward'] is None]
    assert lost == [epoch for epoch, _ in where]
    assert found['kept'] == 'search'
    if len(where) == 1:
        assert found['control'] == records[4]['control']['reward']
    else:
        assert found['control'] is found['difference'] is None
    # What the samples do is the same as ever.
    assert [r['reward'] for r in records] == [
        r['reward'] for r in read_records(searched / 'loss_search.jsonl')
    ]


@pytest.mark.slow
def test_two_replicas(tmp_path: Path):
    """2 sub-runners x 2 replicas, and 4 x 2; the interval is by images of both replicas."""
    options = dict(replicas_per_candidate=2, control=True, reward='accuracy/top1')
    config = go_back_config(tmp_path, **options)
    Job(tmp_path / 'one', config=config, processes=4).finish()
    Job(tmp_path / 'other', config=config, processes=8).finish()
    same_choice(tmp_path / 'one', tmp_path / 'other')
    found = choice(tmp_path / 'one')
    assert found['num_samples'] == 100
    assert np.mean(found['interval']) == pytest.approx(found['difference'])
    weights = load(tmp_path / 'one' / 'kept_model.pth')['state_dict'].values()
    assert all(torch.isfinite(weight).all() for weight in weights)
