"""ResNet-50 on a folder of photos: the classes are counted, D_v is never trained or tested on."""

from __future__ import annotations

from pathlib import Path

import cv2
import mmpretrain
import numpy as np
import pytest
import torch
from helpers.configs import read_config
from helpers.one_step import build_model, train_a_step_and_evaluate
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope

from amlfs_mm.engine.checks import check_held_out

CLASSES = ('ant', 'bee', 'cow')
NAMES = ('baseline_resnet50_folder', 'amlfs_resnet50_folder')


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Drawn photos of several sizes, 10 a class to train and 2 to test; no folder ``val``."""
    draw = np.random.default_rng(0)
    for part, count in (('train', 10), ('test', 2)):
        for label, name in enumerate(CLASSES):
            (tmp_path / part / name).mkdir(parents=True)
            for i in range(count):
                size = (*draw.integers(40, 80, 2), 3)
                image = draw.normal(60 + 60 * label, 20, size).clip(0, 255).astype(np.uint8)
                cv2.imwrite(str(tmp_path / part / name / f'{i}.jpg'), image)
    monkeypatch.setenv('DATA_ROOT', str(tmp_path))
    return tmp_path


def read_small(name: str, **options) -> Config:
    """The config at a small size, without weights that would be downloaded."""
    cfg = read_config(name)
    small = {
        'model.backbone.init_cfg': None,
        'model.backbone.depth': 18,
        'model.backbone.stem_channels': 8,
        'model.backbone.base_channels': 8,
        'model.head.in_channels': 64,
        'train_dataloader.batch_size': 6,
    }
    small |= {f'{part}_dataloader.num_workers': 0 for part in ('train', 'val', 'test')}
    cfg.merge_from_dict(small | options)
    return cfg


def paths(cfg: Config, part: str) -> dict[str, int]:
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        data = DATASETS.build(cfg[f'{part}_dataloader'].dataset)
    infos = [data.get_data_info(i) for i in range(len(data))]
    return {info['img_path']: info['gt_label'] for info in infos}


@pytest.mark.parametrize('name', NAMES)
def test_trains_a_step_and_is_evaluated(name: str, photos: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv('IMAGE_SIZE', '32')
    cfg = read_small(name)
    assert cfg.model.head.num_classes == len(CLASSES)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        for part in ('train', 'val', 'test'):
            data = DATASETS.build(cfg[f'{part}_dataloader'].dataset)
            assert data[0]['inputs'].shape == (3, 32, 32)
    for metrics in train_a_step_and_evaluate(cfg):
        assert 0 <= metrics['accuracy/top1'] <= 100


def test_the_size_is_that_of_imagenet_without_a_setting(photos: Path):
    cfg = read_small(NAMES[0])
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        for part in ('train', 'test'):
            data = DATASETS.build(cfg[f'{part}_dataloader'].dataset)
            assert data[0]['inputs'].shape == (3, 224, 224)


def test_a_tenth_of_each_class_is_d_v_if_there_is_no_val(photos: Path):
    cfg = read_small(NAMES[1])
    train, val, test = (paths(cfg, part) for part in ('train', 'val', 'test'))
    assert (len(train), len(val), len(test)) == (27, 3, 6)
    assert sorted(val.values()) == [0, 1, 2]
    assert not train.keys() & val.keys()
    assert not test.keys() & val.keys()
    assert {Path(path).parts[-3] for path in val} == {'train'}
    assert paths(cfg, 'val') == val


def test_a_folder_val_is_d_v(photos: Path):
    for name in CLASSES:
        (photos / 'val' / name).mkdir(parents=True)
        (photos / 'train' / name / '0.jpg').rename(photos / 'val' / name / '0.jpg')
    cfg = read_small(NAMES[1])
    train, val = paths(cfg, 'train'), paths(cfg, 'val')
    assert (len(train), len(val)) == (27, 3)
    assert {Path(path).parts[-3] for path in val} == {'val'}


def test_a_d_v_of_another_draw_is_found(photos: Path):
    """The two parts must be drawn alike; a share that only one of them has is trained on."""
    cfg = read_small(NAMES[1], **{'val_dataloader.dataset.held_out': 0.3})
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        train, val = (
            DATASETS.build(cfg[f'{part}_dataloader'].dataset) for part in ('train', 'val')
        )
    with pytest.raises(ValueError, match='are also trained on'):
        check_held_out(train, val)


@pytest.mark.parametrize('of_torchvision', [False, True])
def test_weights_from_a_file(of_torchvision: bool, photos: Path, tmp_path: Path):
    """As mmpretrain writes them, the backbone's under its name; or as torchvision does."""
    cfg = read_small(NAMES[0])
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        source = build_model(cfg)
        source.init_weights()
        weights = source.backbone.state_dict() if of_torchvision else source.state_dict()
        torch.save(
            weights if of_torchvision else dict(state_dict=weights), tmp_path / 'weights.pth'
        )
        init = read_config(NAMES[0]).model.backbone.init_cfg
        init.checkpoint = str(tmp_path / 'weights.pth')
        if of_torchvision:
            init.prefix = None
        cfg.model.backbone.init_cfg = init
        model = build_model(cfg)
        model.init_weights()
    expected = source.backbone.state_dict()
    for name, weight in model.backbone.state_dict().items():
        assert torch.equal(weight, expected[name]), name


def test_fine_tuning_recipe():
    """That of mmpretrain's own config for CUB-200, at its batch size."""
    cub = Path(mmpretrain.__file__).parent / '.mim/configs/resnet/resnet50_8xb8_cub.py'
    ours, cub = read_config(NAMES[0]), Config.fromfile(cub)
    assert ours.optim_wrapper == cub.optim_wrapper
    assert ours.param_scheduler == cub.param_scheduler
    assert ours.train_cfg.max_epochs == cub.train_cfg.max_epochs
    assert ours.train_dataloader.batch_size == cub.auto_scale_lr.base_batch_size
