"""Going back to the best round so far: the same search anywhere, resumed, and replayed."""

import json
import re
import shutil
from pathlib import Path

import helpers.faults  # noqa: F401  (registers Scripted)
import pytest
import torch
from helpers.jobs import Job, config_with, no_survivors  # noqa: F401
from helpers.runs import assert_equal, assert_same_run, build, load
from mmengine.runner import load_checkpoint
from test_loss_replay_hook import assert_same_model, replay
from test_loss_search_hook import replay_policy

from amlfs_mm.analysis.runs.records import read_records
from amlfs_mm.engine.checks import check_reward
from amlfs_mm.engine.options import SearchOptions

SCRIPT = [50, 40, 45, 60, 55, 54]
LAST = 'epoch_6.pth'
PATIENT = dict(patience=2)
SCHEDULE = [
    dict(type='LinearLR', by_epoch=False, start_factor=0.2, end=20),
    dict(type='MultiStepLR', by_epoch=True, milestones=[3, 5], gamma=0.5),
]


def scripted(script: list[float]) -> list[dict]:
    return [dict(type='Accuracy', topk=(1,)), dict(type='Scripted', script=script)]


def go_back_config(tmp_path: Path, *hooks: dict, script: list[float] = SCRIPT, **search) -> Path:
    """The tiny search with 3 candidates, whose rewards follow the script by epoch."""
    options = dict(num_candidates=3, go_back=True, reward='script/reward') | search
    lines = f"""
train_cfg = dict(max_epochs={len(script)})
param_scheduler = {SCHEDULE!r}
val_evaluator = {scripted(script)!r}
loss_search = {options!r}
default_hooks = dict(checkpoint=dict(max_keep_ckpts=-1))
"""
    return config_with(tmp_path, *hooks, more=lines)


def lineages(work_dir: Path) -> list[tuple[int, int | None]]:
    """(started from, went back to) of each round."""
    records = read_records(work_dir / 'loss_search.jsonl')
    return [tuple(record['lineage'].values()) for record in records]


@pytest.fixture(scope='module')
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work_dir = tmp_path_factory.mktemp('go_back')
    Job(work_dir, config=go_back_config(work_dir)).finish()
    return work_dir


def test_what_it_starts_from(searched: Path):
    expected = [(0, None), (1, 1), (1, 1), (1, None), (4, 4), (4, 4)]
    assert lineages(searched) == expected
    records = read_records(searched / 'loss_search.jsonl')
    for record, mu in zip(records, replay_policy(records), strict=True):
        torch.testing.assert_close(torch.tensor(record['mu']), torch.tensor(mu).float())


def test_the_model_goes_back_and_time_goes_on(searched: Path):
    one, two = load(searched / 'epoch_1.pth'), load(searched / 'epoch_2.pth')
    assert_equal(one['state_dict'], two['state_dict'], 'model')
    assert_equal(one['optimizer']['state'], two['optimizer']['state'], 'momentum')
    assert two['meta']['iter'] == 2 * one['meta']['iter'] == 12
    assert two['param_schedulers'][0]['last_step'] == 12
    assert two['param_schedulers'][1]['last_step'] == 2
    rates = [saved['optimizer']['param_groups'][0]['lr'] for saved in (one, two)]
    # Linear from 0.2 to 1 in 19 steps; the milestones come later.
    base = one['optimizer']['param_groups'][0]['initial_lr']
    expected = [base * (0.2 + 0.8 * steps / 19) for steps in (6, 12)]
    assert rates == pytest.approx(expected)


@pytest.mark.parametrize('processes', [2, pytest.param(4, marks=pytest.mark.slow)])
def test_any_number_of_processes(searched: Path, tmp_path: Path, processes: int):
    """3 candidates on 2 sub-runners, and on 4, of which one repeats work."""
    Job(tmp_path, config=go_back_config(tmp_path), processes=processes).finish()
    assert_same_run(searched, tmp_path, LAST)


@pytest.mark.parametrize(('epoch', 'processes'), [(1, 2), (2, 1)])
def test_resume(searched: Path, tmp_path: Path, epoch: int, processes: int):
    """From the best round, and from one after which the search went back."""
    shutil.copy(searched / f'epoch_{epoch}.pth', tmp_path)
    Job(tmp_path, '--resume', config=go_back_config(tmp_path), processes=processes).finish()
    assert_same_run(searched, tmp_path, LAST)


def test_stopped_in_a_round_after_going_back(searched: Path, tmp_path: Path):
    """SIGTERM on two processes, resumed on one; then SIGKILL, resumed on three."""
    config = go_back_config(tmp_path)
    job = Job(tmp_path, config=config, processes=2)
    job.wait_for('back to epoch 1')
    for process in job.ranks:
        process.terminate()
    assert set(job.wait()) == {75}, job.everything()
    job = Job(tmp_path, '--resume', config=config)
    job.wait_for('Search epoch 4/')
    job.kill()
    Job(tmp_path, '--resume', config=config, processes=3).finish()
    assert_same_run(searched, tmp_path, LAST)


@pytest.mark.slow
def test_replicas_rounds_of_two_epochs_and_ema(tmp_path: Path):
    """2 sub-runners x 2 replicas, rounds of 2 epochs; resumed in the middle."""
    options = dict(search_every=2, replicas_per_candidate=2, go_back=dict(max_returns=1))
    ema = dict(type='EMAHook', momentum=0.1)
    script = [0, 50, 0, 45, 0, 40, 0, 30]
    config = go_back_config(tmp_path, ema, script=script, **options)
    Job(tmp_path / 'whole', config=config, processes=4).finish()
    assert lineages(tmp_path / 'whole') == [(0, None), (2, 2), (2, 4), (4, 4)]
    for epoch, processes in ((2, 2), (6, 4)):
        again = tmp_path / f'again_{epoch}'
        again.mkdir()
        shutil.copy(tmp_path / 'whole' / f'epoch_{epoch}.pth', again)
        Job(again, '--resume', config=config, processes=processes).finish()
        assert_same_run(tmp_path / 'whole', again, 'epoch_8.pth')


@pytest.mark.parametrize(
    ('script', 'trained', 'options'),
    [
        (SCRIPT, [1, 4], dict()),
        (
            [0, 50, 0, 45, 0, 40, 0, 60],
            [1, 2, 7, 8],
            dict(search_every=2, go_back=dict(patience=2)),
        ),
        ([50, 40, 45, 60], [1, 3, 4], dict(go_back=dict(max_returns=1), hand_over='model')),
    ],
)
@pytest.mark.parametrize('accumulate', [1, pytest.param(4, marks=pytest.mark.slow)])
def test_replay(tmp_path: Path, script: list, trained: list, options: dict, accumulate: int):
    """Only the rounds that led to the model are trained; its weights are the search's.

    Of 6 iterations an epoch, 4 may make an update: it crosses the epochs.
    """
    search = dict(num_candidates=2, go_back=True, reward='script/reward') | options
    both = {
        'param_scheduler': SCHEDULE,
        'train_cfg.max_epochs': len(script),
        'optim_wrapper.accumulative_counts': accumulate,
        'val_evaluator': scripted(script),
    }
    of_search = {f'loss_search.{name}': value for name, value in search.items()}
    build(tmp_path / 'search', **both, **of_search).train()
    schedule = tmp_path / 'search' / 'loss_schedule.json'
    entries = json.loads(schedule.read_text())['epochs']
    assert [entry['epoch'] for entry in entries if entry['leads_to_model']] == trained
    assert all(entry['theta'] for entry in entries)
    build(tmp_path / 'again', **both, custom_hooks=replay(schedule)).train()
    assert_same_model(tmp_path / 'search', tmp_path / 'again', f'epoch_{len(script)}.pth')
    compute = json.loads((tmp_path / 'again' / 'compute.json').read_text())
    assert compute['candidate_epochs'] == len(trained)


@pytest.mark.parametrize(
    ('go_back', 'message'),
    [
        (False, "has go_back=True, the config has go_back=False: set the hook's go_back"),
        (dict(patience=2), "'patience': 1, .* the config by {'patience': 2, .*set the hook's"),
    ],
)
def test_resume_by_another_rule(searched: Path, tmp_path: Path, go_back: bool | dict, message: str):
    shutil.copy(searched / 'epoch_1.pth', tmp_path)
    job = Job(tmp_path, '--resume', config=go_back_config(tmp_path, go_back=go_back))
    assert job.wait() == [1]
    assert re.search(message, job.log()), job.everything()


def test_a_schedule_that_follows_the_validation(tmp_path: Path):
    schedule = [dict(type='ReduceOnPlateauLR', monitor='accuracy/top1')]
    runner = build(tmp_path, **{'loss_search.go_back': True, 'param_scheduler': schedule})
    with pytest.raises(ValueError, match='go_back=True: ReduceOnPlateauLR follows the validation'):
        runner.train()


LOG_PROBABILITY = {
    'val_evaluator': [dict(type='Accuracy'), dict(type='amlfs_mm.MeanLogProbability')],
    'loss_search.reward': 'log_probability/mean',
    'train_cfg.max_epochs': 2,
}


def test_the_reward_is_the_mean_log_probability(tmp_path: Path):
    """Of the winner's model, read from its checkpoint: minus the cross entropy on D_v."""
    rule = {'loss_search.go_back': dict(tolerance=100, error=0.01)}
    build(tmp_path / 'search', **LOG_PROBABILITY, **rule).train()
    record = read_records(tmp_path / 'search' / 'loss_search.jsonl')[-1]
    runner = build(tmp_path / 'read')
    load_checkpoint(runner.model, str(tmp_path / 'search' / 'epoch_2.pth'))
    runner.model.eval()
    with torch.no_grad():
        (batch,) = map(runner.model.data_preprocessor, runner.val_dataloader)
        logits = runner.model(batch['inputs'])
        logits = logits if logits.shape[1] == 10 else runner.model.head((logits,))
    labels = torch.cat([sample.gt_label for sample in batch['data_samples']])
    expected = -torch.nn.functional.cross_entropy(logits.double(), labels).item()
    assert max(record['reward']) == pytest.approx(expected, rel=1e-6)
    log = next((tmp_path / 'search').glob('*/*.log')).read_text()
    assert f'log_probability/mean best {max(record["reward"]):.4f}' in log


@pytest.mark.parametrize(
    'option',
    [
        {'loss_search.go_back': dict(tolerance=1)},
        {'loss_search.reward_filter': dict(type='amlfs_mm.IgnoreTies')},
    ],
    ids=['go_back', 'IgnoreTies'],
)
def test_a_binomial_error_needs_a_percentage(tmp_path: Path, option: dict):
    runner = build(tmp_path, **LOG_PROBABILITY, **option)
    with pytest.raises(
        ValueError, match=r"reward 'log_probability/mean' is no percentage: it is -2"
    ):
        runner.train()


@pytest.mark.parametrize(
    'option',
    [dict(go_back=dict(tolerance=1)), dict(reward_filter=dict(type='amlfs_mm.IgnoreTies'))],
    ids=['go_back', 'IgnoreTies'],
)
def test_a_binomial_error_of_what_may_be_a_fraction(option: dict):
    options = SearchOptions(reward='f1', **option)
    with pytest.warns(UserWarning, match=r"the reward 'f1' is 0.31 at the start, which may be a"):
        check_reward(dict(f1=0.31), options)
    check_reward(dict(f1=31.0), options)
    check_reward(dict(f1=0.31), SearchOptions(reward='f1', go_back=True))


def test_a_round_is_measured_by_the_spread_of_its_candidates(tmp_path: Path):
    """Rewards of a round differ by the accuracy's share / 10: 0.2 is within 1,000 deviations."""
    rule = dict(tolerance=1000, error='spread')
    Job(tmp_path, config=go_back_config(tmp_path, script=[50, 49.8, 5], go_back=rule)).finish()
    assert lineages(tmp_path) == [(0, None), (1, None), (2, 1)]


def test_a_spread_needs_two_candidates():
    rule = dict(tolerance=2, error='spread')
    with pytest.raises(ValueError, match='leaves one: set num_candidates to at least 3'):
        SearchOptions(num_candidates=2, control=True, go_back=rule)
    with pytest.raises(ValueError, match='leaves one: set num_candidates to at least 2'):
        SearchOptions(num_candidates=1, go_back=rule)
    assert SearchOptions(num_candidates=3, control=True, go_back=rule).go_back_rule.tolerance == 2
