"""Bad input is refused at the start, by an error that names the value and the cure."""

import sys
from pathlib import Path

import pytest
from helpers.reid_data import people_root  # noqa: F401
from helpers.runs import ROOT, TINY_SEARCH, run
from mmengine.config import Config
from mmengine.registry import RUNNERS

from amlfs_mm.datasets import ReIDDataset
from amlfs_mm.engine import LossSearchHook
from amlfs_mm.engine.checks import check_held_out

LINEAR_HEAD = dict(_delete_=True, type='LinearClsHead', num_classes=10, in_channels=16, topk=(1,))
ITERATIONS = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=10, val_interval=5)
SEARCH = 'amlfs_mm.LossSearchHook'
TRAIN_CIFAR = ['tools/train.py', 'configs/amlfs_resnet20_cifar10.py', '--work-dir', '{tmp}']


@pytest.mark.parametrize(
    ('changes', 'messages'),
    [
        (
            dict(model=dict(head=LINEAR_HEAD)),
            ['no AMLFSHead', 'LinearClsHead', 'amlfs_mm.AMLFSHead'],
        ),
        (dict(train_cfg=ITERATIONS), ['IterBasedTrainLoop', 'by_epoch=True']),
        (
            dict(val_dataloader=None, val_cfg=None, val_evaluator=None),
            ['D_v', 'val_dataloader, val_cfg and val_evaluator'],
        ),
        (
            dict(model=dict(train_cfg=dict(augments=dict(type='Mixup', alpha=0.2)))),
            ['Mixup', 'remove model.train_cfg.augments'],
        ),
        (
            dict(model=dict(train_cfg=dict(augments=[dict(type='CutMix', alpha=1.0)]))),
            ['CutMix', 'remove model.train_cfg.augments'],
        ),
        (dict(model=dict(head=dict(num_classes=7))), ['10 classes', 'num_classes=7']),
        (
            dict(custom_hooks=[dict(type=SEARCH, num_candidates=2, reward='reid/mAP')]),
            ["'reid/mAP'", "['accuracy/top1']"],
        ),
        (
            dict(custom_hooks=[dict(type=SEARCH, mu_0=dict(name='cosface', m=0.35))]),
            ["unknown loss 'cosface'", 'am_softmax'],
        ),
        (dict(loss_search=dict(replicas=2)), ["['replicas']", 'replicas_per_candidate']),
        (
            dict(loss_search=dict(replicas_per_candidate=2)),
            ['replicas_per_candidate=2', 'one of [1]'],
        ),
        (dict(loss_search=dict(threads_per_process=0)), ['threads_per_process', 'got 0']),
        (dict(launcher='pytorch'), ['RANK', 'dist_train.sh']),
    ],
)
def test_refused_at_the_start(tmp_path: Path, changes: dict, messages: list[str], monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    cfg = Config.fromfile(TINY_SEARCH)
    cfg.merge_from_dict({'work_dir': str(tmp_path), 'experiment_name': str(tmp_path.name)})
    cfg = Config(Config._merge_a_into_b(changes, cfg._cfg_dict))
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the messages are checked below)
        RUNNERS.build(cfg).train()
    for message in messages:
        assert message in str(error.value)
    assert not list(tmp_path.glob('*.pth'))


def test_heads_with_different_spaces(tmp_path: Path):
    cfg = Config.fromfile(TINY_SEARCH)
    cfg.merge_from_dict({'work_dir': str(tmp_path), 'experiment_name': str(tmp_path.name)})
    runner = RUNNERS.build(cfg)
    other = dict(type='amlfs_mm.AMLFSHead', num_classes=10, in_channels=16, num_intervals=3)
    from mmpretrain.registry import MODELS

    runner.model.second_head = MODELS.build(other)
    with pytest.raises(ValueError, match='search spaces differ') as error:
        runner.train()
    assert 'num_intervals=3' in str(error.value)
    assert 'num_intervals=6' in str(error.value)


@pytest.mark.parametrize(
    'options',
    [
        dict(num_candidates=0),
        dict(num_candidates=2.5),
        dict(hand_over='weights'),
        dict(max_lost_rounds=0),
        dict(mu_0=None),
        dict(mu_0=dict(m=0.35)),
    ],
)
def test_bad_options_of_the_hook(options: dict):
    (name,) = options
    with pytest.raises(ValueError, match=name):
        LossSearchHook(**options)


@pytest.mark.parametrize(
    ('command', 'messages'),
    [
        (['tools/train.py', 'configs/no_such.py'], ['configs/no_such.py']),
        (
            [
                *TRAIN_CIFAR,
                '--cfg-options',
                'loss_search.replicas_per_candidate=1',
                'train_dataloader.dataset.dataset.data_root={tmp}/absent',
            ],
            ['CIFAR10', 'absent'],
        ),
        (
            ['tools/train.py', 'configs/extras/amlfs_resnet20_folder.py', '--work-dir', '{tmp}'],
            ["'data/image_folder/train'", '<class>', 'DATA_ROOT'],
        ),
        (
            ['tools/test.py', str(TINY_SEARCH), '{tmp}/none.pth'],
            ['there is no checkpoint', 'none.pth'],
        ),
        (
            ['tools/train.py', str(TINY_SEARCH), '--work-dir', '{tmp}', '--resume', '{tmp}/x.pth'],
            ['x.pth'],
        ),
    ],
)
def test_bad_command_lines(tmp_path: Path, command: list[str], messages: list[str]):
    done = run([sys.executable, *(part.format(tmp=tmp_path) for part in command)])
    assert done.returncode != 0
    for message in messages:
        assert message in done.stdout[-3000:]


def test_empty_image_folder(tmp_path: Path):
    (tmp_path / 'train' / 'cat').mkdir(parents=True)
    command = ['tools/train.py', ROOT / 'configs/extras/amlfs_resnet20_folder.py']
    done = run([sys.executable, *command, '--work-dir', tmp_path], DATA_ROOT=str(tmp_path))
    assert done.returncode != 0
    assert 'holds no class with images' in done.stdout
    assert str(tmp_path / 'train') in done.stdout


@pytest.mark.parametrize('options', [dict(held_out=0), dict(split_seed=5)])
def test_training_images_in_d_v(people_root: Path, options: dict):  # noqa: F811
    def load(part: str, **options) -> ReIDDataset:
        return ReIDDataset('market1501', str(people_root), part, **options)

    validation = load('val')
    check_held_out(load('train'), validation)
    check_held_out(load('train'), load('test'))  # asked for by name
    with pytest.raises(ValueError, match='also trained on') as error:
        check_held_out(load('train', **options), validation)
    assert 'held_out and split_seed' in str(error.value)
    assert 'bounding_box_train' in str(error.value)
    if options == dict(held_out=0):
        assert f'{len(validation)} of the {len(validation)} images' in str(error.value)
