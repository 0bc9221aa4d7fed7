"""A control beside the search: what the same run gives without one."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.jobs import Job, no_survivors  # noqa: F401
from helpers.runs import TINY_SEARCH, assert_equal, assert_same_run, build, load, run
from matplotlib import pyplot as plt
from mmengine.config import Config
from mmengine.registry import RUNNERS
from test_loss_search_hook import replay_policy

from amlfs_mm.analysis.runs.records import read_records
from amlfs_mm.engine.options import SearchOptions
from amlfs_mm.search import SearchSpace
from amlfs_mm.visualization.search_plots import plot_reward

CONTROL = ['--cfg-options', 'custom_hooks.0.control=True']


@pytest.fixture(scope='module')
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work_dir = tmp_path_factory.mktemp('control')
    Job(work_dir, *CONTROL).finish()
    return work_dir


def same_control(one: Path, other: Path, last: str = 'epoch_3.pth') -> None:
    assert_same_run(one, other, last)
    for name in ('control.pth', 'kept_model.pth'):
        assert_equal(load(one / name)['state_dict'], load(other / name)['state_dict'], name)


def train_alone(tmp_path: Path, schedule: Path, theta: torch.Tensor, **options) -> Path:
    """A plain run with the loss theta and the data order of candidate 3."""
    content = json.loads(schedule.read_text())
    for epoch in content['epochs']:
        epoch |= dict(candidate=3, stream=3, theta=theta.tolist())
    (tmp_path / 'schedule.json').write_text(json.dumps(content))
    cfg = Config.fromfile(TINY_SEARCH)
    cfg.work_dir = str(tmp_path / 'alone')
    cfg.experiment_name = str(tmp_path)
    cfg.merge_from_dict(options)
    cfg.runner_type = 'amlfs_mm.LossSearchRunner'
    cfg.loss_search = dict()
    hook = dict(type='amlfs_mm.LossReplayHook', schedule=str(tmp_path / 'schedule.json'))
    cfg.custom_hooks = [hook, *cfg.custom_hooks[1:]]
    RUNNERS.build(cfg).train()
    return tmp_path / 'alone'


def test_it_is_the_run_without_a_search(searched: Path, tmp_path: Path):
    """Weights and running statistics, bit for bit."""
    alone = train_alone(tmp_path, searched / 'loss_schedule.json', SearchSpace(6).identity())
    expected = load(alone / 'epoch_3.pth')['state_dict']
    assert_equal(load(searched / 'control.pth')['state_dict'], expected, 'control')
    winner = load(searched / 'epoch_3.pth')['state_dict']
    assert any(not torch.equal(winner[key], expected[key]) for key in expected)


def test_rounds_of_two_epochs_from_another_loss(tmp_path: Path):
    """The loss is mu_0, the schedule by epoch goes on within and between the rounds."""
    options = {'train_cfg.max_epochs': 4, 'param_scheduler.1.milestones': [1, 2, 3]}
    search = {f'loss_search.{k}': v for k, v in dict(control=True, search_every=2).items()}
    start = dict(name='am_softmax', m=0.35)
    runner = build(tmp_path / 's', **options, **search, **{'loss_search.mu_0': start})
    runner.train()
    theta = SearchSpace(6).known_loss('am_softmax', m=0.35)
    alone = train_alone(tmp_path, tmp_path / 's' / 'loss_schedule.json', theta, **options)
    expected = load(alone / 'epoch_4.pth')['state_dict']
    assert_equal(load(tmp_path / 's' / 'control.pth')['state_dict'], expected, 'control')
    assert json.loads((tmp_path / 's' / 'compute.json').read_text())['candidate_epochs'] == 16


def test_mu_and_the_winner_know_the_samples_only(searched: Path):
    records = read_records(searched / 'loss_search.jsonl')
    for record, mu in zip(records, replay_policy(records), strict=True):
        assert len(record['theta']) == len(record['reward']) == len(record['advantage']) == 3
        assert record['best'] == int(np.argmax(record['reward']))
        np.testing.assert_allclose(record['mu'], mu, atol=1e-5)
        assert record['control']['reward'] >= 0


def test_the_better_model_is_kept(searched: Path, tmp_path: Path):
    """Its score on the data of the reward is the better one's, as ``tools/test.py`` tells it."""
    last = read_records(searched / 'loss_search.jsonl')[-1]
    found, plain = last['reward'][last['best']], last['control']['reward']
    better = 'control.pth' if plain >= found else 'epoch_3.pth'
    kept = load(searched / 'kept_model.pth')['state_dict']
    assert_equal(kept, load(searched / better)['state_dict'], better)
    log = next(searched.glob('*/*.log')).read_text()
    assert f'search {found:.2f}, control {plain:.2f}' in log
    assert f'mean {np.mean(last["reward"]):.2f}' in log
    assert f', control {plain:.2f};' in log
    command = ['tools/test.py', TINY_SEARCH, searched / 'kept_model.pth', '--work-dir', tmp_path]
    options = [
        '--out',
        tmp_path / 'test.json',
        '--cfg-options',
        'test_dataloader.dataset.split=val',
    ]
    done = run([sys.executable, *command, *options])
    assert done.returncode == 0, done.stdout[-3000:]
    metrics = json.loads((tmp_path / 'test.json').read_text())
    assert metrics['accuracy/top1'] == pytest.approx(max(found, plain))


def test_its_reward_stands_beside_the_winners_in_every_round(searched: Path):
    """In the scalars, which TensorBoard has too, and in the picture of the rewards."""
    records = read_records(searched / 'loss_search.jsonl')
    scalars = [
        json.loads(line)
        for path in searched.glob('*/vis_data/*.json')
        for line in path.read_text().splitlines()
        if 'search/reward_control' in line
    ]
    rewards = [record['control']['reward'] for record in records]
    assert [entry['search/reward_control'] for entry in scalars] == pytest.approx(rewards)
    figure = plot_reward(records)
    (curve,) = [line for line in figure.axes[0].lines if 'control' in str(line.get_label())]
    assert list(curve.get_ydata()) == rewards
    plt.close(figure)


@pytest.mark.parametrize('processes', [2, 3])
def test_any_number_of_processes(searched: Path, tmp_path: Path, processes: int):
    """The control is trained by sub-runner 1 of 2, and by sub-runner 0 of 3."""
    Job(tmp_path, *CONTROL, processes=processes).finish()
    same_control(searched, tmp_path)


@pytest.mark.parametrize(('epoch', 'processes'), [(1, 1), (2, 2)])
def test_resume(searched: Path, tmp_path: Path, epoch: int, processes: int):
    shutil.copy(searched / f'epoch_{epoch}.pth', tmp_path)
    Job(tmp_path, '--resume', *CONTROL, processes=processes).finish()
    same_control(searched, tmp_path)


def test_a_stopped_round(searched: Path, tmp_path: Path):
    """Stopped in the middle on two processes, resumed on one."""
    job = Job(tmp_path, *CONTROL, processes=2)
    job.wait_for('Search epoch 1/3')
    for process in job.ranks:
        process.terminate()
    assert set(job.wait()) <= {75, 0}
    Job(tmp_path, '--resume', *CONTROL).finish()
    same_control(searched, tmp_path)


def test_resume_without_the_control(searched: Path, tmp_path: Path):
    shutil.copy(searched / 'epoch_1.pth', tmp_path)
    job = Job(tmp_path, '--resume')
    assert job.wait() == [1]
    assert "set the hook's control to that of the checkpoint" in job.log()


def test_a_warm_up_comes_first(tmp_path: Path):
    runner = build(tmp_path, **{'loss_search.control': True, 'loss_search.warmup_epochs': 1})
    runner.train()
    records = read_records(tmp_path / 'loss_search.jsonl')
    assert ['control' in record for record in records] == [False, True, True]
    assert json.loads((tmp_path / 'compute.json').read_text())['candidate_epochs'] == 9


def test_a_control_that_diverges_keeps_its_model(tmp_path: Path):
    """Its weights turn NaN in the second round: it keeps those of the first."""
    runner = build(tmp_path, **{'loss_search.control': True, 'train_cfg.max_epochs': 2})
    hook = next(h for h in runner.hooks if type(h).__name__ == 'LossSearchHook')
    before = {}

    class Poison(type(hook)):
        def install(self, search_round, epoch, candidate):
            super().install(search_round, epoch, candidate)
            if epoch == 1 and candidate == 3:
                model = self.runner.model
                before.update({k: v.clone() for k, v in model.state_dict().items()})
                next(iter(model.parameters())).data.fill_(float('nan'))

    hook.__class__ = Poison
    runner.train()
    first, second = read_records(tmp_path / 'loss_search.jsonl')
    assert second['control']['reward'] is None
    control = load(tmp_path / 'control.pth')['state_dict']
    assert all(torch.equal(control[key], before[key]) for key in control)
    plain = f'control {first["control"]["reward"]:.2f} (control.pth)'
    assert plain in next(tmp_path.glob('*/*.log')).read_text()


def test_a_schedule_that_follows_the_validation(tmp_path: Path):
    schedule = [dict(type='ReduceOnPlateauLR', monitor='accuracy/top1')]
    runner = build(tmp_path, **{'loss_search.control': True, 'param_scheduler': schedule})
    with pytest.raises(ValueError, match='ReduceOnPlateauLR follows the validation of the winner'):
        runner.train()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(control='yes'), "control must be True or False, got 'yes'"),
        (dict(control=True, num_candidates=1), 'num_candidates must be at least 2, got 1'),
    ],
)
def test_options(options: dict, message: str):
    with pytest.raises(ValueError, match=message):
        SearchOptions(**options)
