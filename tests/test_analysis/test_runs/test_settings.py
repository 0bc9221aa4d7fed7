"""Results in a work dir are used again only for the config that they are of."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest
from helpers.runs import TINY_SEARCH
from helpers.work_dirs import BASELINE, run_tool, write_run
from mmengine.config import Config

from amlfs_mm.analysis.runs.settings import check_same_settings
from amlfs_mm.cli.train import merge_args

CLASSES_ITSELF = """
from mmengine.config import read_base
from mmpretrain.models import CrossEntropyLoss, ImageClassifier, LinearClsHead
with read_base():
    from .base import *
model = dict(type=ImageClassifier, head=dict(type=LinearClsHead, loss=dict(type=CrossEntropyLoss)))
"""


def config_of_classes(folder: Path) -> Path:
    (folder / 'base.py').write_text('train_cfg = dict(max_epochs=3)\nload_from = "start.pth"\n')
    (folder / 'classes.py').write_text(CLASSES_ITSELF)
    return folder / 'classes.py'


@pytest.mark.parametrize('kind', ['search', 'baseline', 'classes'])
@pytest.mark.parametrize('resume', [None, 'auto'])
def test_what_the_tool_adds_is_no_change(kind: str, resume: str | None, tmp_path: Path):
    config = dict(search=TINY_SEARCH, baseline=BASELINE, classes=config_of_classes(tmp_path))[kind]
    options = {'train_cfg.max_epochs': 7, 'randomness': dict(seed=1), 'data_root': '~/images'}
    work_dir = tmp_path / 'run'
    work_dir.mkdir()
    (work_dir / 'epoch_1.pth').touch()
    args = Namespace(
        launcher='pytorch',
        cfg_options=options,
        work_dir=str(work_dir),
        amp=False,
        resume=resume,
        config=config,
    )
    merge_args(Config.fromfile(config), args).dump(work_dir / config.name)
    check_same_settings(work_dir, config, options)
    with pytest.raises(ValueError, match=r'train_cfg\.max_epochs was 7, is 8\. Remove'):
        check_same_settings(work_dir, config, options | {'train_cfg.max_epochs': 8})


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'loss_search.num_candidates': 2}, 'loss_search.num_candidates was 4, is 2'),
        ({'train_dataloader.dataset.indices': None}, r'dataset\.indices was 96, is None'),
        ({'find_unused_parameters': True}, 'find_unused_parameters was not set, is True'),
        ({'param_scheduler': []}, r"param_scheduler was \[\{'type': 'LinearLR'.*\.\.\., is \[\]"),
        ({'randomness.seed': 1}, 'randomness.seed was 0, is 1'),
        ({'train_cfg.max_epochs': 3.0}, 'train_cfg.max_epochs was 3, is 3.0'),
    ],
)
def test_a_change_is_named(options: dict, message: str, tmp_path: Path):
    run = write_run(tmp_path / 'run', test={'accuracy/top1': 90.0})
    with pytest.raises(ValueError, match=message):
        check_same_settings(run, TINY_SEARCH, {'randomness.seed': 0} | options)


def test_a_setting_that_was_removed(tmp_path: Path):
    run = write_run(tmp_path / 'run', test={'accuracy/top1': 90.0}, find_unused_parameters=True)
    with pytest.raises(ValueError, match='find_unused_parameters was True, is not set'):
        check_same_settings(run, TINY_SEARCH, {'randomness.seed': 0})


def test_a_run_without_results_may_start_again(tmp_path: Path):
    check_same_settings(tmp_path / 'none', TINY_SEARCH, {})
    run = write_run(tmp_path / 'run', seed=3)
    check_same_settings(run, TINY_SEARCH, {'randomness.seed': 0})
    (run / 'epoch_1.pth').touch()  # it would be taken for one of the new run
    with pytest.raises(ValueError, match=r'randomness\.seed was 3, is 0'):
        check_same_settings(run, TINY_SEARCH, {'randomness.seed': 0})


def test_the_benchmark_refuses_results_of_other_settings(tmp_path: Path):
    write_run(tmp_path / 'tiny_search_seed0', test={'accuracy/top1': 90.0})
    arguments = [TINY_SEARCH, '--work-dir', tmp_path, '--seeds', 0]
    run_tool('benchmark.py', *arguments)
    changed = ['--cfg-options', 'loss_search.num_candidates=2', 'train_cfg.max_epochs=3']
    with pytest.raises(SystemExit, match=r'benchmark\.py: .*num_candidates was 4, is 2\. Remove'):
        run_tool('benchmark.py', *arguments, *changed)
