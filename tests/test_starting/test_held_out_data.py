"""What D_v of a config is, and whether it is the test set."""

from __future__ import annotations

import pytest
from mmengine.config import Config

from amlfs_mm.starting.held_out_data import check_hold_out, describe, describe_held_out_data

CIFAR = dict(type='CIFAR10', data_root='data/cifar10', split='train', pipeline=[dict(type='A')])
TEST = dict(CIFAR, data_root='data/cifar10/', split='test', pipeline=[])
FOLD = dict(type='mmpretrain.KFoldDataset', num_splits=5, seed=0)
ACCURACY = dict(type='Accuracy', topk=(1,))


def config(val: dict, test: dict | None = TEST, train: dict = CIFAR, evaluator=ACCURACY) -> Config:
    loaders = {'train': train, 'val': val, 'test': test}
    loaders = {f'{k}_dataloader': v and dict(dataset=v, batch_size=4) for k, v in loaders.items()}
    return Config(dict(loaders, val_evaluator=evaluator))


@pytest.mark.parametrize(
    ('val', 'test', 'why'),
    [
        (TEST, TEST, 'test_dataloader reads the same'),
        (dict(TEST, data_root='data/cifar10', pipeline=[dict(type='B')]), TEST, 'reads the same'),
        (dict(type='ImageNet', split='val'), dict(type='ImageNet', split='val'), 'reads the same'),
        (dict(type='A', ann_file='x.txt'), dict(type='mm.A', ann_file='x.txt'), 'reads the same'),
        (TEST, None, "it has split='test'"),
        (dict(type='amlfs_mm.ReIDDataset', part='test'), None, "it has part='test'"),
        (dict(type='RepeatDataset', times=2, dataset=TEST), None, "it has split='test'"),
    ],
)
def test_d_v_is_the_test_set(val: dict, test: dict | None, why: str):
    found = describe_held_out_data(config(val, test))
    assert found.warning.startswith('D_v is the test set: ')
    assert why in found.warning
    assert found.text == describe(val)


@pytest.mark.parametrize(
    'val',
    [
        dict(FOLD, test_mode=True, dataset=CIFAR),
        dict(CIFAR, split='val'),
        dict(type='amlfs_mm.ReIDDataset', part='val', held_out=0.1),
    ],
)
def test_d_v_is_data_of_its_own(val: dict):
    assert describe_held_out_data(config(val, train=dict(FOLD, dataset=CIFAR))).warning is None


def test_d_v_is_the_training_data():
    found = describe_held_out_data(config(dict(CIFAR, pipeline=[])))
    assert found.warning.startswith('D_v is the training data')


@pytest.mark.parametrize('key', ['val_dataloader', 'val_evaluator'])
def test_there_is_no_d_v(key: str):
    cfg = config(TEST)
    cfg[key] = None
    with pytest.raises(ValueError, match=f'the base has no {key}'):
        describe_held_out_data(cfg)


def test_words():
    assert describe(TEST) == "CIFAR10(data_root='data/cifar10/', split='test')"
    assert describe(dict(FOLD, fold=2, dataset=CIFAR)) == (
        "KFoldDataset(CIFAR10(data_root='data/cifar10', split='train'), fold=2)"
    )


@pytest.mark.parametrize(
    ('train', 'evaluator', 'says'),
    [
        (dict(type='FaceDataset', held_out=0.1), ACCURACY, 'holds data out by itself'),
        (dict(type='RepeatDataset', dataset=CIFAR), ACCURACY, 'made of other data sets'),
        (CIFAR, [ACCURACY, dict(type='RetrievalRecall')], 'has RetrievalRecall'),
    ],
)
def test_what_cannot_be_held_out(train: dict, evaluator, says: str):
    with pytest.raises(ValueError, match=says):
        check_hold_out(config(TEST, train=train, evaluator=evaluator))


def test_what_can_be_held_out():
    check_hold_out(config(TEST))
    check_hold_out(config(TEST, evaluator=[ACCURACY, dict(type='mmpretrain.SingleLabelMetric')]))
