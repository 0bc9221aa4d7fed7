"""tools/train.py and tools/test.py with paths and types as people write them."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.runs import ROOT

FOLDERS = """
_base_ = ['{root}/configs/extras/baseline_resnet20_folder.py']
model = dict(backbone=dict(depth=8, base_channels=4), head=dict(in_channels=16, num_classes=2))
data_preprocessor = dict(num_classes=2)
loader = dict(
    batch_size=4, num_workers=0, persistent_workers=False, dataset=dict(data_root='~/images')
)
train_dataloader = val_dataloader = test_dataloader = loader
train_cfg = dict(max_epochs=1)
"""
CLASSES = """
from mmcv.transforms import LoadImageFromFile, Resize
from mmengine.dataset import DefaultSampler
from mmengine.optim import OptimWrapper
from mmpretrain.datasets import PackInputs, RandomCrop
from mmpretrain.evaluation import Accuracy
from mmpretrain.models import CrossEntropyLoss, GlobalAveragePooling, ImageClassifier
from torch.optim import SGD

from amlfs_mm.datasets import ImageFolder
from amlfs_mm.engine import LossSearchHook, LossSearchRunner
from amlfs_mm.models import AMLFSHead, CIFARResNet, EmbeddingClassifier

default_scope = 'mmpretrain'
model = dict(
    type={model},
    backbone=dict(type=CIFARResNet, depth=8, base_channels=4),
    neck=dict(type=GlobalAveragePooling),
    head=dict(type=AMLFSHead, num_classes=2, in_channels=16, loss=dict(type=CrossEntropyLoss)),
)
data_preprocessor = dict(num_classes=2, mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True)
test_pipeline = [
    dict(type=LoadImageFromFile),
    dict(type=Resize, scale=(8, 8)),
    dict(type=PackInputs),
]
pipeline = [*test_pipeline[:-1], dict(type=RandomCrop, crop_size=8, padding=1), test_pipeline[-1]]
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    dataset=dict(type=ImageFolder, data_root='~/images', split='train', pipeline=pipeline),
    sampler=dict(type=DefaultSampler, shuffle=True),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=0,
    dataset=dict(type=ImageFolder, data_root='~/images', split='val', pipeline=test_pipeline),
    sampler=dict(type=DefaultSampler, shuffle=False),
)
test_dataloader = dict(
    batch_size=4,
    num_workers=0,
    dataset=dict(type=ImageFolder, data_root='~/images', split='test', pipeline=test_pipeline),
    sampler=dict(type=DefaultSampler, shuffle=False),
)
val_evaluator = dict(type=Accuracy, topk=(1,))
test_evaluator = val_evaluator
train_cfg, val_cfg, test_cfg = dict(by_epoch=True, max_epochs=1), dict(), dict()
optim_wrapper = dict(type=OptimWrapper, optimizer=dict(type=SGD, lr=0.1))
custom_hooks = [dict(type=LossSearchHook, num_candidates=2)]
runner_type = LossSearchRunner
randomness = dict(seed=0)
in_memory_gib = 1
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory with images of two classes; the working directory is another."""
    draw = np.random.default_rng(0)
    for part in ('train', 'val', 'test'):
        for name in ('ant', 'bee'):
            folder = tmp_path / 'home' / 'images' / part / name
            folder.mkdir(parents=True)
            for number in range(6):
                image = draw.integers(256, size=(8, 8, 3), dtype=np.uint8)
                cv2.imwrite(str(folder / f'{number}.png'), image)
    (tmp_path / 'here').mkdir()
    monkeypatch.chdir(tmp_path / 'here')
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    return tmp_path / 'home'


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch):
    """Run a tool in this process, with the arguments of its command line."""

    def run(path: str, *arguments: str) -> None:
        monkeypatch.setattr(sys, 'argv', [path, *arguments])
        runpy.run_path(str(ROOT / path), run_name='__main__')

    return run


@pytest.mark.parametrize('runner', ['amlfs_mm.LossSearchRunner', 'Runner'])
def test_a_home_directory_in_every_path(home: Path, tool, runner: str):
    (home / 'folders.py').write_text(FOLDERS.format(root=ROOT) + f'runner_type = {runner!r}\n')
    options = ['--cfg-options', 'default_hooks.checkpoint.out_dir=~/kept', 'work_dir=~/work']
    tool('tools/train.py', '~/folders.py', *options)
    assert (home / 'kept' / 'work' / 'epoch_1.pth').is_file()
    options += ['train_cfg.max_epochs=2']
    tool('tools/train.py', '~/folders.py', '--resume', '~/kept/work/epoch_1.pth', *options)
    checkpoint = '~/kept/work/epoch_2.pth'
    places = ['--work-dir', '~/tested', '--out', '~/new/folder/test.json']
    tool('tools/test.py', '~/folders.py', checkpoint, *places)
    assert 'accuracy/top1' in json.loads((home / 'new' / 'folder' / 'test.json').read_text())
    # Tested in the training's work dir: what that was trained with stays there.
    trained = (home / 'work' / 'folders.py').read_text()
    assert 'max_epochs=2' in trained
    tool('tools/test.py', '~/folders.py', checkpoint, '--work-dir', '~/work')
    assert (home / 'work' / 'folders.py').read_text() == trained
    assert list((home / 'work' / 'test').iterdir())
    assert not list(Path().iterdir())  # above all no folder called ~


def test_a_config_that_names_classes_themselves(home: Path, tool):
    """Its types go through a search, a test, also as dumped, and an export."""
    (home / 'classes.py').write_text(CLASSES.format(model='ImageClassifier'))
    (home / 'embedder.py').write_text(CLASSES.format(model='EmbeddingClassifier'))
    tool('tools/train.py', '~/classes.py', '--work-dir', '~/work')
    checkpoint = '~/work/epoch_1.pth'
    results = []
    for config in ('~/classes.py', '~/work/classes.py'):
        tool('tools/test.py', config, checkpoint, '--work-dir', '~/t', '--out', '~/work/test.json')
        results.append(json.loads((home / 'work' / 'test.json').read_text()))
    assert results[0] == results[1]
    tool('tools/export_onnx.py', '~/embedder.py', checkpoint, '--out', '~/model.onnx')
    assert (home / 'model.onnx').is_file()
