"""The OpenMMLab stack works on this machine's torch, numpy and setuptools."""

import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.runs import ROOT, run
from mmengine.config import Config
from mmengine.hub import get_config, get_model
from mmengine.registry import DefaultScope
from mmengine.utils import get_installed_path, is_installed
from mmpretrain.evaluation.metrics import RetrievalRecall

from amlfs_mm.datasets import Digits


def test_configs_inherit_from_mmpretrain(tmp_path: Path):
    """`mmpretrain::` needed pkg_resources, which setuptools 82 dropped."""
    config = tmp_path / 'inherits.py'
    config.write_text("_base_ = ['mmpretrain::_base_/models/resnet18_cifar.py']\n")
    assert Config.fromfile(config).model.backbone.type == 'ResNet_CIFAR'


AT_ROOT, IN_FOLDER = 'amlfs_resnet20_cifar10.py', 'small/digits/amlfs_resnet20_digits.py'


@pytest.mark.parametrize('name', [AT_ROOT, IN_FOLDER, '_base_/models/resnet20_cifar.py'])
def test_configs_of_this_package_by_name(name: str, tmp_path: Path):
    """In ``_base_`` and in mmengine's hub; also those at the root of ``configs/``."""
    config = tmp_path / 'inherits.py'
    config.write_text(f"_base_ = ['amlfs_mm::{name}']\n")
    expected = Config.fromfile(ROOT / 'configs' / name).to_dict()
    assert Config.fromfile(config).to_dict() == expected
    assert get_config(f'amlfs_mm::{name}').to_dict() == expected


def test_models_of_this_package_by_name():
    """What mmengine's hub builds is of mmpretrain's scope; afterwards the scope is as before."""
    before = getattr(DefaultScope.get_current_instance(), 'scope_name', None)
    model = get_model(f'amlfs_mm::{IN_FOLDER}')
    assert type(model).__name__ == 'ImageClassifier'
    assert type(model.head).__name__ == 'AMLFSHead'
    assert getattr(DefaultScope.get_current_instance(), 'scope_name', None) == before


def test_configs_are_found_if_the_hub_was_imported_first():
    code = f"""
import mmengine.hub, amlfs_mm
print(mmengine.hub.get_config('amlfs_mm::{AT_ROOT}').filename)
"""
    done = run([sys.executable, '-c', code])
    assert done.stdout.endswith(f'.mim/configs/{AT_ROOT}\n'), done.stdout


def test_installed_packages_are_found():
    assert is_installed('mmpretrain')
    assert not is_installed('no_such_package')
    assert Path(get_installed_path('mmpretrain')).name == 'mmpretrain'
    assert Path(get_installed_path('mmcv-lite')).name == 'mmcv'


def test_retrieval_metrics_run():
    scores = np.array([[0.9, 0.1, 0.5], [0.2, 0.8, 0.1]])
    recall = RetrievalRecall.calculate(scores, [[0], [2]], topk=1, target_indices=True)
    assert [float(r) for r in recall] == [50.0]


def test_subsets_of_a_data_set_share_nothing():
    """mmengine's would find the first copy again, or what has since taken its address."""
    digits = Digits(split='val', pipeline=[dict(type='mmpretrain.PackInputs')])
    first, second = digits.get_subset(3), digits.get_subset(5)
    assert [len(first), len(second), len(digits)] == [3, 5, 300]
    assert first.pipeline is not second.pipeline


def test_stock_mmpretrain_launcher_runs_a_search(tmp_path: Path):
    """mmpretrain's own tools/train.py needs nothing but the config."""
    launcher = Path(get_installed_path('mmpretrain')) / '.mim' / 'tools' / 'train.py'
    config = ROOT / 'tests' / 'configs' / 'tiny_search.py'
    options = ['--cfg-options', 'train_cfg.max_epochs=1', '--no-persistent-workers']
    done = run([sys.executable, launcher, config, '--work-dir', tmp_path, *options])
    assert done.returncode == 0, done.stdout[-3000:]
    assert (tmp_path / 'loss_search.jsonl').is_file()


def test_a_stock_config_takes_the_three_lines(tmp_path: Path):
    """Head, hook, runner on top of a config of mmpretrain's, as README says."""
    config = tmp_path / 'mine.py'
    config.write_text(
        "_base_ = ['mmpretrain::resnet/resnet18_8xb16_cifar10.py']\n"
        "custom_imports = dict(imports=['amlfs_mm'])\n"
        "runner_type = 'amlfs_mm.LossSearchRunner'\n"
        "custom_hooks = [dict(type='amlfs_mm.LossSearchHook', num_candidates=2)]\n"
        "model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))\n"
    )
    from mmpretrain.registry import MODELS

    cfg = Config.fromfile(config)
    assert type(MODELS.build(cfg.model).head).__name__ == 'AMLFSHead'


def test_text_of_a_config_follows_its_changes():
    cfg = Config(dict(epochs=1))
    before = cfg.pretty_text
    assert before == 'epochs = 1\n'
    cfg.epochs = 2
    assert cfg.pretty_text == 'epochs = 2\n'
    cfg.epochs = 1
    assert cfg.pretty_text == before
