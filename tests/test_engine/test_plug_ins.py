"""Another search space and another policy, plugged in by `type`."""

from pathlib import Path
from typing import NamedTuple

import torch
from conftest import build

from amlfs_mm.engine.journal import read_records
from amlfs_mm.registry import TASK_UTILS
from amlfs_mm.search import GaussianPolicy, PiecewiseLinear


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
