"""Another search space and another policy, plugged in by `type`."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from helpers.runs import build

from amlfs_mm.analysis.runs.records import read_records
from amlfs_mm.registry import TASK_UTILS
from amlfs_mm.search import GaussianPolicy, PiecewiseLinear

SIZE = {'train_dataloader.dataset.indices': 32, 'custom_hooks.0.num_candidates': 3}


class Margin(NamedTuple):
    margin: torch.Tensor


@TASK_UTILS.register_module()
class MarginSpace:
    """One number: the additive cosine margin of AM-softmax."""

    dim = 1

    def __repr__(self) -> str:
        return 'MarginSpace()'

    def identity(self) -> torch.Tensor:
        return torch.zeros(1)

    def split(self, theta: torch.Tensor) -> Margin:
        return Margin(theta)

    def known_loss(self, name: str, m: float = 0.0) -> torch.Tensor:
        return torch.tensor([m])

    def transforms(self, theta: torch.Tensor, min_slope: float = 0.0) -> tuple:
        one = torch.ones_like(theta)
        t = PiecewiseLinear(one, -theta, -1.0, 1.0)
        return t, PiecewiseLinear(one, torch.zeros_like(theta), 0.0, 1.0)


@TASK_UTILS.register_module()
class HillClimber(GaussianPolicy):
    """mu becomes the best candidate."""

    def update(self, theta: torch.Tensor, reward: torch.Tensor) -> torch.Tensor:
        self._mu.copy_(theta[reward.argmax()])
        return reward


def test_search_in_another_space_with_another_policy(tmp_path: Path):
    options = {
        'model.head.search_space': dict(type='amlfs_mm.MarginSpace'),
        'custom_hooks.0.policy': dict(type='amlfs_mm.HillClimber', sigma=0.1),
        'custom_hooks.0.mu_0': dict(name='am_softmax', m=0.2),
        'train_cfg.max_epochs': 2,
    }
    build(tmp_path, **options).train()
    first, second = read_records(tmp_path / 'loss_search.jsonl')
    assert first['mu_before'] == [torch.tensor(0.2).item()]
    assert first['mu'] == first['theta'][first['best']] == second['mu_before']
    assert len(first['interval_share']['t_interval']) == 1
    assert (tmp_path / 'search_mu.png').is_file()


@pytest.mark.parametrize(
    'options',
    [
        {'model.head.search_space': dict(type='amlfs_mm.MonotoneSearchSpace', num_intervals=6)},
        {'model.head.search_space': dict(type='amlfs_mm.SearchSoftmaxSpace')},
        {
            'custom_hooks.0.policy.antithetic': True,
            'custom_hooks.0.policy.include_mean': True,
            'custom_hooks.0.reward_filter': dict(type='amlfs_mm.IgnoreTies', error=1e9),
        },
    ],
    ids=['monotone', 'search_softmax', 'options_of_reinforce'],
)
def test_what_comes_with_the_package(tmp_path: Path, options: dict):
    """A small search and its pictures."""
    build(tmp_path, **SIZE, **{'train_cfg.max_epochs': 1}, **options).train()
    (record,) = read_records(tmp_path / 'loss_search.jsonl')
    all_tie = 'custom_hooks.0.reward_filter' in options
    assert (record['mu'] == record['mu_before']) == all_tie
    assert (record['theta'][0] == record['mu_before']) == all_tie
    assert (tmp_path / 'search_loss.png').is_file()


@pytest.mark.slow
def test_cma_es_and_its_resume(tmp_path: Path):
    policy = dict(type='amlfs_mm.CMAESPolicy', sigma=0.3)
    options = {'train_cfg.max_epochs': 2, 'custom_hooks.0.policy': policy}
    build(tmp_path / 'whole', **options).train()
    records = read_records(tmp_path / 'whole' / 'loss_search.jsonl')
    assert records[0]['mu'] != records[0]['mu_before']
    assert records[0]['sigma'] != 0.3
    (tmp_path / 'resumed').mkdir()
    shutil.copy(tmp_path / 'whole' / 'epoch_1.pth', tmp_path / 'resumed')
    build(tmp_path / 'resumed', resume=True, **options).train()
    assert read_records(tmp_path / 'resumed' / 'loss_search.jsonl') == records
