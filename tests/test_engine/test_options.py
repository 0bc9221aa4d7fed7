"""Where the options of a search come from: the hook's own, and the config's ``loss_search``."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.runs import CrashAtOnce, build
from helpers.work_dirs import TINY_SEARCH, write_run

from amlfs_mm.analysis import find_runs


@pytest.mark.parametrize('place', ['loss_search', 'custom_hooks.0'])
def test_a_partial_policy_changes_the_configs_policy(tmp_path: Path, place: str):
    """The rest of the policy is the config's, not the default."""
    frozen = {'loss_search.policy.lr': 0.0}
    write_run(tmp_path / 'run', TINY_SEARCH, **frozen, **{f'{place}.policy.sigma': 0.1})
    (run,) = find_runs([tmp_path / 'run'])
    assert run.options.policy == dict(type='amlfs_mm.GaussianPolicy', sigma=0.1, lr=0.0)


def test_another_policy_replaces_the_configs(tmp_path: Path):
    other = dict(type='amlfs_mm.CMAESPolicy', sigma=0.3)
    write_run(tmp_path / 'run', TINY_SEARCH, **{'custom_hooks.0.policy': other})
    (run,) = find_runs([tmp_path / 'run'])
    assert run.options.policy == other


def test_the_hooks_own_options_win(tmp_path: Path):
    write_run(tmp_path / 'run', TINY_SEARCH, **{'custom_hooks.0.reward': 'reid/mAP'})
    (run,) = find_runs([tmp_path / 'run'])
    assert (run.reward, run.options.num_candidates) == ('reid/mAP', 4)


def test_the_log_says_what_has_no_effect(tmp_path: Path):
    options = {'num_candidates': 2, 'policy': dict(sigma=0.1), 'search_every': 1}
    changed = {f'custom_hooks.0.{name}': value for name, value in options.items()}
    runner = build(tmp_path, **changed, **{'loss_search.policy.sigma': 0.3})
    runner.register_hook(CrashAtOnce())
    with pytest.raises(RuntimeError, match='crash'):
        runner.train()
    (log,) = tmp_path.glob('*/*.log')
    said = [line.split(' - ')[-1] for line in log.read_text().splitlines() if 'no effect' in line]
    assert [line.split(' has')[0] for line in said] == [
        'loss_search.num_candidates=4',
        'loss_search.policy.sigma=0.3',
    ]
    assert 'LossSearchHook gives num_candidates=2' in said[0]
