"""What a search costs, in words, and how many images an epoch has; nothing is downloaded."""

from __future__ import annotations

import socket
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from amlfs_mm.starting.cost import count_images, describe_cost, training_epochs

EPOCHS = dict(by_epoch=True, max_epochs=20)
CIFAR = dict(type='CIFAR10', data_root='none', split='train')


@pytest.mark.parametrize(
    'train_cfg', [EPOCHS, dict(type='EpochBasedTrainLoop', max_epochs=20, val_interval=2)]
)
def test_epochs(train_cfg: dict):
    assert training_epochs(Config(dict(train_cfg=train_cfg))) == 20


@pytest.mark.parametrize(
    'train_cfg',
    [
        None,
        dict(by_epoch=False, max_iters=100),
        dict(type='IterBasedTrainLoop', max_iters=100),
        dict(max_iters=100),
    ],
)
def test_training_by_iterations(train_cfg: dict | None):
    with pytest.raises(ValueError, match='needs training by epochs, but the base has train_cfg='):
        training_epochs(Config(dict(train_cfg=train_cfg)))


def test_words():
    cfg = Config(dict(train_cfg=EPOCHS, train_dataloader=dict(dataset=CIFAR)))
    assert describe_cost(cfg, 8, 1500) == (
        'as much as 8 trainings of the baseline: 20 epochs x 8 candidates x 1,500 images = '
        '240,000 images'
    )
    unknown = describe_cost(cfg, 8, None)
    assert "images of CIFAR10(data_root='none', split='train'), which are not on" in unknown


def test_images_are_counted(tmp_path: Path):
    for name in ('a', 'b'):
        (tmp_path / 'train' / name).mkdir(parents=True)
        for i in range(3):
            cv2.imwrite(str(tmp_path / 'train' / name / f'{i}.png'), np.zeros((4, 4, 3), np.uint8))
    folder = dict(type='amlfs_mm.ImageFolder', data_root=str(tmp_path), split='train', pipeline=[])
    assert count_images(folder, 'mmpretrain') == 6
    fold = dict(type='KFoldDataset', num_splits=3, dataset=folder)
    assert count_images(fold, 'mmpretrain') == 4


@pytest.mark.parametrize('wrapped', [False, True])
def test_nothing_is_downloaded(wrapped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*args, **kwargs):
        raise AssertionError('something tried to use the network')

    monkeypatch.setattr(socket.socket, 'connect', refuse)
    dataset = dict(CIFAR, data_root=str(tmp_path))
    dataset = dict(type='KFoldDataset', dataset=dataset) if wrapped else dataset
    assert count_images(dataset, 'mmpretrain') is None
    assert list(tmp_path.iterdir()) == []
    dataset = dict(type='CIFAR10', data_root=str(tmp_path / 'none'))
    assert count_images(dataset, 'mmpretrain') is None
    assert count_images(dict(type='OfAnotherPackage'), 'mmpretrain') is None
    assert list(tmp_path.iterdir()) == []
