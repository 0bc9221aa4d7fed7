"""Algorithm 1 as it really ran: the files of a search against an independent reading."""

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.runs import TINY_SEARCH, assert_equal, assert_same_run, build, load, train
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from amlfs_mm.analysis.runs.records import read_records
from amlfs_mm.engine import LossSearchHook
from amlfs_mm.search import SearchSpace
from amlfs_mm.search.known_losses import psi
from amlfs_mm.utils.randomness import derive_seed


def replay_policy(records: list[dict], lr: float = 0.05) -> list[np.ndarray]:
    """REINFORCE (Eq. 20) and Adam, from their papers, in float64; mu after each epoch."""
    mu = np.array(records[0]['mu_before'], dtype=np.float64)
    first, second, steps, history = np.zeros_like(mu), np.zeros_like(mu), 0, []
    for record in records:
        theta = np.array(record['theta'], dtype=np.float64)
        reward = np.array([math.nan if r is None else r for r in record['reward']])
        alive = np.isfinite(reward)
        advantage = np.zeros(len(reward))
        if alive.any() and np.ptp(reward[alive]) > 0:
            finite = reward[alive]
            advantage[alive] = (finite - finite.mean()) / (finite.std() + 1e-8)
            advantage[~alive] = advantage[alive].min()
            ascent = (advantage[:, None] * (theta - mu) / record['sigma'] ** 2).mean(0)
            steps += 1
            first = 0.9 * first - 0.1 * ascent
            second = 0.999 * second + 0.001 * ascent**2
            first_hat, second_hat = first / (1 - 0.9**steps), second / (1 - 0.999**steps)
            mu = mu - lr * first_hat / (np.sqrt(second_hat) + 1e-8)
        np.testing.assert_allclose(record['advantage'], advantage, atol=1e-9)
        history.append(mu.copy())
    return history


def test_mu_is_reinforce_with_adam(tiny_records: list[dict]):
    for record, mu in zip(tiny_records, replay_policy(tiny_records), strict=True):
        np.testing.assert_allclose(record['mu'], mu, atol=1e-5)


def test_the_winner_is_the_arg_max(tiny_records: list[dict]):
    for record in tiny_records:
        assert record['best'] == int(np.argmax(record['reward']))


def test_candidates_are_drawn_around_mu_by_seed_and_epoch(tiny_records: list[dict]):
    identity = SearchSpace(6).identity()
    assert tiny_records[0]['mu_before'] == identity.tolist()
    for epoch, record in enumerate(tiny_records):
        generator = torch.Generator().manual_seed(derive_seed(0, epoch))
        noise = torch.randn(4, 24, generator=generator)
        expected = torch.tensor(record['mu_before']) + 0.2 * noise
        assert torch.equal(torch.tensor(record['theta']), expected)
    for former, later in pairwise(tiny_records):
        assert former['mu'] == later['mu_before']


def test_files_of_a_search(tiny_run: Path, tiny_records: list[dict]):
    assert [record['epoch'] for record in tiny_records] == [1, 2, 3]
    best = [record['reward'][record['best']] for record in tiny_records]
    schedule = json.loads((tiny_run / 'loss_schedule.json').read_text())
    assert schedule['seed'] == 0
    assert 'AMLFSHead' in schedule['config']
    assert schedule['search_space'] == 'SearchSpace(num_intervals=6)'
    for entry, record in zip(schedule['epochs'], tiny_records, strict=True):
        assert entry['theta'] == record['theta'][record['best']]
        assert entry['reward'] == record['reward'][record['best']]
        assert entry['mu'] == record['mu']
    # The last and the best-ever model, the first of equals.
    assert load(tiny_run / 'epoch_3.pth')['meta']['epoch'] == 3
    (best_ever,) = tiny_run.glob('best_reward_epoch_*.pth')
    assert best_ever.name == f'best_reward_epoch_{1 + int(np.argmax(best))}.pth'
    for picture in ('search_mu.png', 'search_loss.png', 'search_reward.png'):
        assert (tiny_run / picture).read_bytes().startswith(b'\x89PNG')
    assert not list(tiny_run.glob('.*.part'))
    share = tiny_records[-1]['interval_share']
    assert sum(share['t_interval']) == pytest.approx(1)
    assert sum(share['tau_interval']) == pytest.approx(1)


def test_the_checkpoint_holds_the_winner(tiny_run: Path, tiny_records: list[dict]):
    last = tiny_records[-1]
    checkpoint = load(tiny_run / 'epoch_3.pth')
    theta = checkpoint['state_dict']['head.theta']
    assert torch.equal(theta, torch.tensor(last['theta'][last['best']]))
    assert torch.equal(checkpoint['loss_search']['policy']['mean'], torch.tensor(last['mu']))
    # Its iterations are one candidate's, not four: 6 an epoch.
    assert checkpoint['meta']['iter'] == 18


def test_a_plain_runner_searches_alike(tiny_run: Path, tmp_path: Path):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a LossSearchRunner sets it by itself
    try:
        build(tmp_path, runner_type='Runner').train()
    finally:
        torch.set_num_threads(threads)
    one, other = tiny_run / 'loss_search.jsonl', tmp_path / 'loss_search.jsonl'
    assert one.read_text() == other.read_text()
    first, second = load(tiny_run / 'epoch_3.pth'), load(tmp_path / 'epoch_3.pth')
    assert_equal(first['state_dict'], second['state_dict'], 'state_dict')


def test_sigma_0_with_one_candidate_is_plain_training(tmp_path: Path):
    """B = 1, sigma = 0: the search's machinery adds nothing to training with softmax."""
    runner = build(
        tmp_path,
        **{'custom_hooks.0.num_candidates': 1, 'custom_hooks.0.policy.sigma': 0.0},
    )
    searched = runner.train()
    plain = build(tmp_path / 'plain', **{'custom_hooks': []})
    plain.register_hook(SameRandomNumbers(), priority='LOW')
    for key, value in plain.train().state_dict().items():
        assert torch.equal(value, searched.state_dict()[key]), key


class SameRandomNumbers(Hook):
    """Gives a plain run the data order and augmentation of candidate 0."""

    def before_train(self, runner):
        from amlfs_mm.datasets import make_reproducible

        loop = runner.train_loop
        loop.dataloader = make_reproducible(loop.dataloader, runner.seed)

    def before_train_epoch(self, runner):
        runner.train_dataloader.batch_sampler.set_epoch(runner.epoch, 0)


@HOOKS.register_module()
class Saboteur(Hook):
    """Ruins the weights of some candidates in the middle of their epoch.

    Args:
        victims: (epoch from 0, candidate); candidate None means every one.
    """

    def __init__(self, victims: list) -> None:
        self.victims = [tuple(victim) for victim in victims]

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        candidate = int(runner.message_hub.get_scalar('train/candidate').current())
        doomed = {(runner.epoch, candidate), (runner.epoch, None)} & set(self.victims)
        if batch_idx == 2 and doomed:
            next(runner.model.parameters()).data.fill_(math.nan)


def sabotaged(tmp_path: Path, victims: list, **options) -> Runner:
    runner = build(tmp_path, **options)
    runner.register_hook(Saboteur(victims))
    return runner


def test_a_diverged_candidate_is_survived(tmp_path: Path, tiny_records: list[dict]):
    favourite = tiny_records[0]['best']
    sabotaged(tmp_path, [(0, favourite)]).train()
    records = read_records(tmp_path / 'loss_search.jsonl')
    assert records[0]['reward'][favourite] is None
    others = [i for i in range(4) if i != favourite]
    assert [records[0]['reward'][i] for i in others] == [
        tiny_records[0]['reward'][i] for i in others
    ]
    assert records[0]['best'] != favourite
    assert records[0]['advantage'][favourite] == min(records[0]['advantage'])
    for record, mu in zip(records, replay_policy(records), strict=True):
        np.testing.assert_allclose(record['mu'], mu, atol=1e-5)
    assert all(
        torch.isfinite(v).all() for v in load(tmp_path / 'epoch_3.pth')['state_dict'].values()
    )


def test_an_epoch_without_survivors_keeps_model_and_mu(tmp_path: Path):
    runner = sabotaged(tmp_path, [(1, None)], **{'train_cfg.max_epochs': 2})
    runner.train()
    records = read_records(tmp_path / 'loss_search.jsonl')
    assert records[1]['best'] is None
    assert records[1]['reward'] == [None] * 4
    assert records[1]['mu'] == records[1]['mu_before'] == records[0]['mu']
    before, after = load(tmp_path / 'epoch_1.pth'), load(tmp_path / 'epoch_2.pth')
    assert_equal(before['state_dict'], after['state_dict'], 'state_dict')


def test_a_run_counts_as_finished_after_all_else(tmp_path: Path):
    """``compute.json`` says that a run is finished: its hook comes last."""
    assert type(build(tmp_path).hooks[-1]).__name__ == 'ComputeHook'


class LossOfOneStep(Hook):
    """A loss of candidate 1 is not finite in the first epoch, and the step is left out.

    So does a gradient scaler.
    """

    priority = 'HIGH'

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        candidate = runner.message_hub.get_scalar('train/candidate').current()
        if (runner.epoch, candidate, batch_idx) == (0, 1, 0):
            outputs['loss'] = outputs['loss'] * float('nan')


def test_a_loss_in_the_first_epoch_of_a_round_is_not_forgotten(tmp_path: Path):
    runner = build(tmp_path, **{'train_cfg.max_epochs': 2, 'custom_hooks.0.search_every': 2})
    runner.register_hook(LossOfOneStep())
    runner.train()
    (record,) = read_records(tmp_path / 'loss_search.jsonl')
    assert [reward is None for reward in record['reward']] == [False, True, False, False]


def test_three_lost_epochs_in_a_row_stop_the_search(tmp_path: Path):
    runner = sabotaged(tmp_path, [(0, None), (1, None), (2, None)])
    with pytest.raises(
        RuntimeError, match=r'all 4 candidates diverged .* epoch 3, 3 rounds in a row'
    ):
        runner.train()


def test_captured_states_in_host_memory(tmp_path: Path, tiny_run: Path):
    build(tmp_path, **{'custom_hooks.0.captured_states': 'host'}).train()
    assert_same_run(tiny_run, tmp_path)


def test_validation_alone(tmp_path: Path):
    """``Runner.val`` of a search's config, without a search."""
    assert 0 <= build(tmp_path).val()['accuracy/top1'] <= 100


def test_common_random_numbers(tmp_path: Path):
    """With sigma = 0 and one data order for all, all candidates are the same."""
    options = {
        'custom_hooks.0.policy.sigma': 0.0,
        'custom_hooks.0.common_random_numbers': True,
        'train_cfg.max_epochs': 1,
    }
    build(tmp_path, **options).train()
    (record,) = read_records(tmp_path / 'loss_search.jsonl')
    assert len(set(record['reward'])) == 1
    assert record['mu'] == record['mu_before']


def test_cached_batches_change_nothing(tmp_path: Path, monkeypatch):
    """Two epochs of four candidates are loaded once."""
    options = {
        'in_memory_gib': 0,  # what is in memory is not loaded again in any case
        'custom_hooks.0.common_random_numbers': True,
        'custom_hooks.0.search_every': 2,
        'train_cfg.max_epochs': 2,
    }
    build(tmp_path / 'without', **options).train()
    runner = build(tmp_path / 'with', **options, **{'custom_hooks.0.batch_cache_gib': 0.1})
    images = runner.train_loop.dataloader.dataset
    loaded, load = [], type(images).__getitem__
    monkeypatch.setattr(
        type(images), '__getitem__', lambda data, i: loaded.append(data) or load(data, i)
    )
    runner.train()
    assert_same_run(tmp_path / 'without', tmp_path / 'with', 'epoch_2.pth')
    assert sum(data is images for data in loaded) == 2 * 96  # once an epoch


@pytest.mark.parametrize(
    ('options', 'error'),
    [
        (dict(batch_cache_gib=1), 'batch_cache_gib=1 .* needs common_random_numbers=True'),
        (dict(batch_cache_gib=-1), 'batch_cache_gib must be a number >= 0, got -1'),
        (dict(batch_cache_gib='1GB'), "batch_cache_gib must be a number >= 0, got '1GB'"),
    ],
)
def test_bad_batch_caches(options: dict, error: str):
    with pytest.raises(ValueError, match=error):
        LossSearchHook(**options)


def test_start_at_a_known_loss_and_hand_over_the_model_alone(tmp_path: Path):
    options = {
        'custom_hooks.0.mu_0': dict(name='am_softmax', m=0.35),
        'custom_hooks.0.hand_over': 'model',
        'train_cfg.max_epochs': 1,
    }
    build(tmp_path, **options).train()
    (record,) = read_records(tmp_path / 'loss_search.jsonl')
    assert record['mu_before'] == SearchSpace(6).known_loss('am_softmax', m=0.35).tolist()
    assert load(tmp_path / 'epoch_1.pth')['optimizer']['state'] == {}


@pytest.mark.parametrize(
    ('mu_0', 'function', 'error'),
    [
        (dict(name='arcface', m=0.5), lambda x: torch.cos(torch.arccos(x) + 0.5), 0.063),
        (dict(name='a_softmax', m=4), lambda x: psi(x, 4), 0.348),
    ],
)
def test_the_policy_starts_at_a_hand_made_loss(tmp_path: Path, mu_0: dict, function, error: float):
    """mu_0 is the nearest t with 6 intervals; the largest errors are SearchSpace.known_loss's."""

    class Started(Exception):
        """The policy is there; there is no need to train."""

    class Stop(Hook):
        priority = 'LOWEST'

        def before_train(self, runner):
            raise Started

    runner = build(tmp_path, **{'custom_hooks.0.mu_0': mu_0})
    runner.register_hook(Stop())
    with pytest.raises(Started):
        runner.train()
    (policy,) = [hook.policy for hook in runner.hooks if hasattr(hook, 'policy')]
    t, tau = SearchSpace(6).transforms(policy.mean)
    x = torch.linspace(-1, 1, 501)
    assert (t(x) - function(x)).abs().max() < error
    assert torch.equal(tau(x), x)


def test_losers_do_not_reach_other_hooks(tmp_path: Path):
    """Hooks after the search see one training epoch and one validation, the winner's."""
    seen = []

    class Witness(Hook):
        priority = 'LOW'

        def after_train_epoch(self, runner):
            seen.append('train')

        def after_val_epoch(self, runner, metrics):
            seen.append(metrics['accuracy/top1'])

    runner = build(tmp_path, **{'train_cfg.max_epochs': 1})
    runner.register_hook(Witness())
    runner.train()
    (record,) = read_records(tmp_path / 'loss_search.jsonl')
    assert seen == ['train', record['reward'][record['best']]]


@pytest.mark.slow
def test_ema_follows_the_winner(tmp_path: Path):
    """The averaged model is handed over, and is the one that is scored."""
    options = {'train_cfg.max_epochs': 2, 'custom_hooks.0.num_candidates': 3}
    config = tmp_path / 'ema.py'
    config.write_text(
        f'_base_ = [{str(TINY_SEARCH)!r}]\n'
        'custom_hooks = [*_base_.custom_hooks, dict(type="EMAHook", momentum=0.1)]\n'
    )
    pairs = [f'{key}={value}' for key, value in options.items()]
    train(tmp_path / 'one', '--cfg-options', *pairs, config=config)
    train(tmp_path / 'two', '--cfg-options', *pairs, config=config, processes=2)
    one, two = load(tmp_path / 'one' / 'epoch_2.pth'), load(tmp_path / 'two' / 'epoch_2.pth')
    assert_equal(one['state_dict'], two['state_dict'], 'averaged')
    assert_equal(one['ema_state_dict'], two['ema_state_dict'], 'raw')
    assert (
        one['state_dict']['head.fc.weight'].ne(one['ema_state_dict']['module.head.fc.weight']).any()
    )
