"""``amlfs_mm new`` writes configs that are searches on a baseline, or says why it cannot."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.configs import PATHS
from helpers.runs import ROOT
from mmengine.config import Config, ConfigDict
from mmengine.registry import DATASETS, DefaultScope

from amlfs_mm.cli.new import main
from amlfs_mm.engine.checks import check_held_out

CIFAR = 'mmpretrain::resnet/resnet18_8xb16_cifar10.py'
SMALL = """
default_scope = 'mmpretrain'
custom_imports = dict(imports=['json'])
custom_hooks = [dict(type='EMAHook')]
data_preprocessor = dict(num_classes=2, mean=[0.0] * 3, std=[1.0] * 3)
model = dict(
    type='ImageClassifier',
    backbone=dict(type='amlfs_mm.CIFARResNet', depth=8),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=2, in_channels=64),
    train_cfg=dict(augments=[dict(type='Mixup', alpha=0.2), dict(type='CutMix', alpha=1.0)]),
)
pipeline = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]
images = dict(type='amlfs_mm.ImageFolder', data_root='images', pipeline=pipeline)
train_dataloader = dict(batch_size=4, dataset=dict(split='train', **images))
val_dataloader = dict(batch_size=4, dataset=dict(split='test', **images))
test_dataloader = val_dataloader
val_evaluator = dict(type='Accuracy')
train_cfg = dict(by_epoch=True, max_epochs=3)
val_cfg = dict()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a baseline and its images."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'small.py').write_text(SMALL)
    for part, count in (('train', 10), ('test', 2)):
        for name in ('a', 'b'):
            (tmp_path / 'images' / part / name).mkdir(parents=True)
            for i in range(count):
                path = tmp_path / 'images' / part / name / f'{i}.png'
                cv2.imwrite(str(path), np.zeros((8, 8, 3), np.uint8))
    return tmp_path


def new(*arguments: str) -> Config:
    main(['search.py', *arguments])
    return Config.fromfile('search.py')


def test_a_baseline_of_mmpretrain(capsys: pytest.CaptureFixture):
    cfg = new('--base', CIFAR, '--reward', 'accuracy/top1')
    said = ' '.join(capsys.readouterr().out.split())
    assert 'AMLFSHead takes the place of LinearClsHead: 10 classes, features of 512' in said
    assert 'WARNING: D_v is the test set: val_dataloader reads CIFAR10(data_root=' in said
    assert '--hold-out 10' in said
    assert 'as much as 32 trainings of the baseline: 200 epochs x 32 candidates x' in said
    text = Path('search.py').read_text()
    assert 'D_v is the test set' in text
    # What the guide shows.
    code = ''.join(line for line in text.splitlines(True) if not line.startswith('#'))
    assert code in (ROOT / 'docs' / 'guides' / 'starting_points.md').read_text()
    base = Path('base.py')
    base.write_text(f'_base_ = [{CIFAR!r}]')
    expected = Config.fromfile(base)
    assert cfg.model.head.type == 'amlfs_mm.AMLFSHead'
    expected.merge_from_dict(
        dict(
            custom_imports=dict(imports=['amlfs_mm']),
            model=dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6)),
            runner_type='amlfs_mm.LossSearchRunner',
        )
    )
    expected.custom_hooks = [dict(type='amlfs_mm.LossSearchHook')]
    options = dict(num_candidates=32, reward='accuracy/top1')
    expected.loss_search = options | recommended_options()
    expected.model.head.search_space = dict(type='amlfs_mm.SearchSpace', ceiling=True)
    assert cfg.to_dict() == expected.to_dict()
    assert 'many training labels may be wrong' in said
    Path('search.py').unlink()
    del expected.model.head.search_space
    expected.loss_search = options
    assert new('--base', CIFAR, '--literal').to_dict() == expected.to_dict()


def recommended_options() -> dict:
    """What ``_base_/search/recommended.py`` changes of the paper's search."""
    search = ROOT / 'configs' / '_base_' / 'search'
    recommended, literal = (
        Config.fromfile(search / f'{name}.py').loss_search for name in ('recommended', 'literal')
    )
    kept = {'replicas_per_candidate', 'num_candidates'}
    changed = {
        key: value.to_dict() if isinstance(value, ConfigDict) else value
        for key, value in recommended.items()
        if key not in kept and value != literal.get(key)
    }
    policy = literal.get('policy', {})
    changed['policy'] = {k: v for k, v in changed['policy'].items() if v != policy.get(k)}
    return changed


def test_what_the_baseline_has_is_kept(capsys: pytest.CaptureFixture):
    cfg = new('--base', 'small.py', '--candidates', '4', '--intervals', '3', '--scale', '30')
    assert cfg.custom_imports.imports == ['json', 'amlfs_mm']
    assert [hook.type for hook in cfg.custom_hooks] == ['EMAHook', 'amlfs_mm.LossSearchHook']
    assert cfg.loss_search.num_candidates == 4
    assert (cfg.model.head.num_intervals, cfg.model.head.scale) == (3, 30.0)
    assert cfg.model.train_cfg is None
    said = ' '.join(capsys.readouterr().out.split())
    assert 'Mixup and CutMix are left out' in said
    assert '3 epochs x 4 candidates x 20 images = 240 images' in said
    assert 'Logits: 30 cos' in said


def test_a_part_of_the_training_data_is_held_out(capsys: pytest.CaptureFixture):
    cfg = new('--base', 'small.py', '--hold-out', '5')
    said = ' '.join(capsys.readouterr().out.split())
    assert 'WARNING' not in said
    assert '3 epochs x 32 candidates x 16 images' in said
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        train, val, test = (
            DATASETS.build(cfg[f'{part}_dataloader'].dataset) for part in ('train', 'val', 'test')
        )
    assert (len(train), len(val), len(test)) == (16, 4, 4)
    check_held_out(train, val)
    check_held_out(test, val)


def test_a_base_in_another_folder(folder: Path):
    (folder / 'mine').mkdir()
    main(['mine/search.py', '--base', 'small.py'])
    assert "_base_ = ['../small.py']" in Path('mine/search.py').read_text()
    assert Config.fromfile('mine/search.py').train_cfg.max_epochs == 3
    main(['mine/absolute.py', '--base', str(folder / 'small.py')])
    assert Config.fromfile('mine/absolute.py').train_cfg.max_epochs == 3
    assert sorted(path.name for path in Path('mine').iterdir()) == ['absolute.py', 'search.py']


def test_the_loss_of_the_baseline_is_the_start(capsys: pytest.CaptureFixture):
    arcface = str(PATHS['baseline_arcface_iresnet50_ms1mv3'])
    small = f'_base_ = [{arcface!r}]\nmodel = dict(backbone=dict(base_channels=4))'
    small += '\nmodel.update(head=dict(num_classes=20))'
    Path('arcface.py').write_text(small)
    cfg = new('--base', 'arcface.py', '--reward', 'face/rank1')
    assert cfg.loss_search.mu_0 == dict(name='arcface', m=0.5)
    assert cfg.model.head.scale == 64
    assert "The search starts at the baseline's loss, dict(name='arcface', m=0.5)." in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ('change', 'says'),
    [
        (
            "model['head'] = dict(type='amlfs_mm.SoftmaxHead', num_classes=2, in_channels=64, "
            'sharded=True)',
            'The class weights are spread over replicas (sharded=True)',
        ),
        (
            "param_scheduler = [dict(type='ReduceOnPlateauLR', monitor='accuracy/top1')]",
            'ReduceOnPlateauLR follows the validation of the winner',
        ),
    ],
)
def test_a_baseline_that_can_keep_no_second_model(
    change: str, says: str, capsys: pytest.CaptureFixture
):
    """The search that we recommend would stop at its start."""
    with open('small.py', 'a') as file:
        file.write(change)
    search = new('--base', 'small.py').loss_search
    assert not {'control', 'go_back'} & set(search)
    assert search.policy == dict(sigma=0.1)
    assert says in ' '.join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ('change', 'arguments', 'says'),
    [
        ('', ['--base', 'none.py'], 'there is no config none.py'),
        ('', ['--base', 'mmpretrain::resnet/none.py'], 'there is no config mmpretrain::resnet'),
        ('', ['--base', 'mmpretrain::x.py'], 'there is no config mmpretrain::x.py'),
        ('x = (', ['--base', 'small.py'], 'small.py cannot be read: SyntaxError'),
        ("model['head']['type'] = 'VigClsHead'", [], 'cannot take the place of VigClsHead'),
        ("custom_hooks = [dict(type='LossSearchHook')]", [], 'it is a search already'),
        ('train_cfg = dict(by_epoch=False, max_iters=5)', [], 'needs training by epochs'),
        ('val_dataloader = None', [], 'the base has no val_dataloader'),
        ('', ['--reward', 'reid/mAP'], "no 'reid/mAP'; its metrics begin with accuracy/"),
        ('', ['--reward', 'accuracy/top5'], "produces ['accuracy/top1']"),
        ('', ['--hold-out', '1'], 'leaves nothing to train with'),
        ('from mmpretrain.models import LinearClsHead', [], 'it is in pure Python'),
        ("model['backbone']['depth'] = 7", [], 'the search on this base does not work'),
    ],
)
def test_why_not(
    change: str, arguments: list[str], says: str, folder: Path, capsys: pytest.CaptureFixture
):
    with open('small.py', 'a') as file:
        file.write(change)
    base = [] if '--base' in arguments else ['--base', 'small.py']
    before = sorted(folder.iterdir())
    with pytest.raises(SystemExit) as stopped:
        main(['search.py', *base, *arguments])
    assert says in f'{stopped.value}{capsys.readouterr().err}'
    assert sorted(folder.iterdir()) == before  # nothing was written, nor left


def test_an_existing_file_is_kept():
    Path('search.py').write_text('mine')
    with pytest.raises(SystemExit, match=r'search\.py exists: remove it'):
        main(['search.py', '--base', 'small.py'])
    assert Path('search.py').read_text() == 'mine'
    with pytest.raises(SystemExit, match='there is no folder nowhere'):
        main(['nowhere/search.py', '--base', 'small.py'])


@pytest.mark.parametrize('out', ['search', 'search.yaml'])
def test_only_python_is_written(out: str, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit):
        main([out, '--base', 'small.py'])
    assert 'must end in .py' in capsys.readouterr().err
