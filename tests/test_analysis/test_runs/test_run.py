"""A run by what its work dir says; test_work_dirs.py has what is wrong in work dirs."""

import json
from pathlib import Path

import pytest
from helpers.runs import TINY_SEARCH
from helpers.work_dirs import BASELINE, write_run
from mmengine.config import Config

from amlfs_mm.analysis import find_runs, read_run, search_options
from amlfs_mm.engine import LossSearchHook
from amlfs_mm.search import SearchSpace


def test_a_search(tiny_run: Path, tiny_records: list[dict]):
    run = read_run(tiny_run)
    assert (run.name, run.seed, run.reward) == ('tiny_search', 0, 'accuracy/top1')
    assert run.records == run.searched == tiny_records
    assert run.epochs == 3
    assert run.candidate_epochs == 4 * 3
    assert run.moves_mu
    assert run.samples_losses
    assert isinstance(run.search_space, SearchSpace)
    assert run.options.num_candidates == 4
    assert run.tau_floor == 'relative'
    assert run.test == {}
    # mmengine logs the winner's metrics on D_v.
    last = tiny_records[-1]
    assert run.validation[3]['accuracy/top1'] == pytest.approx(last['reward'][last['best']])


def test_a_checkpoint_is_the_search_up_to_it(tiny_run: Path, tiny_records: list[dict]):
    assert read_run(tiny_run / 'epoch_2.pth').records == tiny_records[:2]


def test_a_baseline(tmp_path: Path):
    validation = {1: {'accuracy/top1': 50.0}, 2: {'accuracy/top1': 60.0}}
    work_dir = write_run(tmp_path / 'run', BASELINE, test={'a/b': 1.0}, validation=validation)
    (work_dir / 'compute.json').write_text(json.dumps(dict(candidate_epochs=2, images=1794)))
    (run,) = find_runs([work_dir])
    assert run.validation == validation
    assert (run.epochs, run.candidate_epochs, run.images) == (2, 2, 1794)
    assert run.test == {'a/b': 1.0}
    assert not run.moves_mu


HOOK = dict(type='amlfs_mm.LossSearchHook', num_candidates=4, policy=dict(sigma=0.1))


@pytest.mark.parametrize('kind', ['LossSearchHook', 'amlfs_mm.LossSearchHook', LossSearchHook])
def test_search_options_of_hook_and_loss_search(kind):
    shared = dict(reward='reid/mAP', num_candidates=8, replicas_per_candidate=2)
    hooks = [dict(type='EMAHook'), dict(HOOK, type=kind, priority='NORMAL')]
    options = search_options(Config(dict(custom_hooks=hooks, loss_search=shared)))
    assert (options.num_candidates, options.reward) == (4, 'reid/mAP')  # the hook's win
    assert options.policy == dict(type='amlfs_mm.GaussianPolicy', sigma=0.1, lr=0.05)


@pytest.mark.parametrize('hooks', [None, [], [dict(type='amlfs_mm.ComputeHook')]])
def test_no_search_without_its_hook(hooks: list | None):
    config = Config(dict(custom_hooks=hooks, loss_search=dict(num_candidates=4)))
    assert search_options(config) is None


def test_a_history_of_another_search_space(tmp_path: Path, tiny_records: list[dict]):
    head = {'model.head.num_intervals': 5}
    run = read_run(write_run(tmp_path / 'run', TINY_SEARCH, records=tiny_records, **head))
    with pytest.raises(ValueError, match=r'24 numbers in the history of .*run, but 20 in'):
        _ = run.search_space
