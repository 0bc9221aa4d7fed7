"""Loaders, samplers, seeds and hooks that make no training, or another one than it seems."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from helpers.jobs import Job, config_with, no_survivors  # noqa: F401
from helpers.small_data import Labelled, runner_on, write_mnist
from mmengine.config import Config
from mmengine.model import BaseModule
from mmengine.registry import DATA_SAMPLERS, MODELS, RUNNERS
from torch import Tensor, nn
from torch.utils.data import ConcatDataset, Dataset, Sampler

from amlfs_mm.analysis import read_run, search_options
from amlfs_mm.engine.checks import check_listed_once, check_split

SEARCH = dict(type='amlfs_mm.LossSearchHook', num_candidates=2)


@DATA_SAMPLERS.register_module()
class Shuffled(Sampler):
    """Goes on with a generator of its own from one epoch to the next."""

    def __init__(self, dataset, seed=None) -> None:
        self.dataset = dataset
        self.generator = np.random.default_rng(0)

    def __iter__(self):
        return iter(self.generator.permutation(len(self.dataset)).tolist())

    def __len__(self) -> int:
        return len(self.dataset)


@MODELS.register_module()
class Normalised(BaseModule):
    """A neck that ends in batch normalisation: of vectors, or of pooled maps."""

    def __init__(self, kind: str, train_statistics: bool = True) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.bn = nn.BatchNorm1d(16) if kind == 'vectors' else nn.BatchNorm2d(16)
        self.train_statistics = train_statistics

    def train(self, mode: bool = True) -> Normalised:
        super().train(mode)
        self.bn.train(mode and self.train_statistics)
        return self

    def forward(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        pooled = self.pool(maps[-1])
        pooled = self.bn(pooled.flatten(1) if isinstance(self.bn, nn.BatchNorm1d) else pooled)
        return (pooled.flatten(1),)


def small(images: int, **options) -> dict:
    return dict(type='Labelled', labels=images, **options)


@pytest.mark.parametrize('search', [False, True])
def test_no_batch_at_all(tmp_path: Path, search: bool):
    loader = dict(batch_size=128, drop_last=True)
    with pytest.raises(ValueError, match='gives no batch') as error:
        runner_on(tmp_path, small(100), search, train_dataloader=loader).train()
    for part in ('100 images', 'batch_size=128', 'drop_last=True'):
        assert part in str(error.value)
    assert not list(tmp_path.rglob('*.png'))


def test_no_image_at_all(tmp_path: Path):
    for options in ({}, dict(serialize_data=False)):
        with pytest.raises(ValueError, match=r'dataset \(Labelled\) is empty'):
            runner_on(tmp_path, small(0, **options)).train()


@pytest.mark.parametrize('part', ['val', 'test'])
@pytest.mark.parametrize('options', [{}, dict(serialize_data=False)])
def test_nothing_to_evaluate(tmp_path: Path, part: str, options: dict):
    """D_v, or the test data, without an image."""
    loader = {f'{part}_dataloader': dict(dataset=dict(small(0, **options), _delete_=True))}
    runner = runner_on(tmp_path, small(32), search=part == 'val', **loader)
    with pytest.raises(
        ValueError, match=rf'{part}_dataloader\.dataset \(Labelled\) is empty: .*ev'
    ):
        runner.test() if part == 'test' else runner.train()


@pytest.mark.parametrize('kind', ['vectors', 'pooled maps'])
@pytest.mark.parametrize('search', [False, True])
def test_a_last_batch_of_one_image(tmp_path: Path, kind: str, search: bool):
    model = dict(neck=dict(type='Normalised', kind=kind, _delete_=True))
    with pytest.raises(ValueError, match='the last batch of an epoch has one image') as error:
        runner_on(tmp_path, small(33), search, model=model).train()
    for part in ('33 images in batches of 16', "'neck.bn'", 'train_dataloader.drop_last=True'):
        assert part in str(error.value)


def test_batches_of_one_image(tmp_path: Path):
    model = dict(neck=dict(type='Normalised', kind='vectors', _delete_=True))
    with pytest.raises(ValueError, match=r'every batch has one image.*raise .*batch_size'):
        runner_on(tmp_path, small(4), model=model, train_dataloader=dict(batch_size=1)).train()


@pytest.mark.parametrize(
    ('images', 'changes'),
    [
        (33, dict(train_dataloader=dict(drop_last=True))),
        (34, {}),
        (33, dict(model=dict(neck=dict(train_statistics=False)))),  # frozen statistics
        (33, dict(model=dict(neck=dict(type='GlobalAveragePooling', _delete_=True)))),  # only maps
    ],
)
def test_batches_that_batch_normalisation_takes(tmp_path: Path, images: int, changes: dict):
    neck = dict(type='Normalised', kind='vectors', _delete_=True)
    neck = changes.get('model', {}).get('neck', {}) if '_delete_' in str(changes) else neck
    neck |= changes.get('model', {}).get('neck', {})
    changes = {key: value for key, value in changes.items() if key != 'model'}
    runner = runner_on(
        tmp_path, small(images), train_cfg=dict(max_epochs=1), model=dict(neck=neck), **changes
    )
    runner.train()
    assert runner.iter == math.ceil(images / 16) - ('train_dataloader' in changes)


def test_an_endless_sampler(tmp_path: Path):
    loader = dict(sampler=dict(type='InfiniteSampler', shuffle=True, _delete_=True))
    for search in (False, True):
        with pytest.raises(ValueError, match='InfiniteSampler, which never ends an epoch'):
            runner_on(tmp_path, small(32), search, train_dataloader=loader).train()
    loop = dict(by_epoch=False, max_iters=3, _delete_=True)
    runner = runner_on(
        tmp_path,
        small(32),
        train_dataloader=loader,
        train_cfg=loop,
        param_scheduler=[],
        default_hooks=dict(checkpoint=dict(by_epoch=False)),
    )
    runner.train()
    assert runner.iter == 3


def test_a_sampler_with_random_numbers_of_its_own(tmp_path: Path):
    """A plain run may have it; in a search a candidate's order would depend on the process."""
    loader = dict(sampler=dict(type='Shuffled', _delete_=True))
    with pytest.raises(ValueError, match=r'sampler \(Shuffled\) cannot be used in a search'):
        runner_on(tmp_path, small(32), search=True, train_dataloader=loader).train()
    runner = runner_on(tmp_path, small(32), train_dataloader=loader, train_cfg=dict(max_epochs=1))
    runner.train()
    assert runner.iter == 2


def test_a_seed_for_each_rank(tmp_path: Path):
    seeds = dict(randomness=dict(seed=0, diff_rank_seed=True))
    with pytest.raises(ValueError, match=r'diff_rank_seed=True.*one theta'):
        runner_on(tmp_path, search=True, **seeds).train()
    runner_on(tmp_path, small(32), train_cfg=dict(max_epochs=1), **seeds).train()


@pytest.mark.parametrize(
    ('dataset', 'sampler', 'images'),
    [
        (dict(type='ConcatDataset', datasets=[small(20), small(12)]), {}, 32),
        (dict(type='RepeatDataset', dataset=small(10), times=3), {}, 30),
        (small(30), dict(type='mmpretrain.RepeatAugSampler', num_repeats=3, _delete_=True), 30),
        (small(30), dict(type='DefaultSampler', shuffle=True, seed=7), 30),
    ],
)
def test_data_put_together_are_counted_once(
    tmp_path: Path, dataset: dict, sampler: dict, images: int
):
    options = dict(train_cfg=dict(max_epochs=1), train_dataloader=dict(sampler=sampler))
    options['custom_hooks'] = [SEARCH, dict(type='amlfs_mm.ComputeHook')]
    runner_on(tmp_path, dataset, search=True, **options).train()
    compute = json.loads((tmp_path / 'loss_schedule.json').read_text())['compute']
    assert (compute['images_per_epoch'], compute['images']) == (images, 2 * images)


@pytest.mark.parametrize(
    ('loader', 'message'),
    [
        (dict(batch_size=30, drop_last=True), 'val_dataloader.drop_last=True leaves 10 of 100'),
        (dict(sampler=dict(type='InfiniteSampler', _delete_=True)), 'InfiniteSampler, which does'),
        (
            dict(sampler=dict(type='mmpretrain.RepeatAugSampler', _delete_=True)),
            'RepeatAugSampler, which does',
        ),
    ],
)
def test_validation_data_that_are_not_evaluated_once(tmp_path: Path, loader: dict, message: str):
    with pytest.raises(ValueError, match=message):
        runner_on(tmp_path, search=True, val_dataloader=loader).train()


@pytest.mark.parametrize('runner_type', ['amlfs_mm.LossSearchRunner', 'Runner'])
def test_two_hooks_that_decide_the_loss(tmp_path: Path, runner_type: str):
    hooks = [SEARCH, dict(SEARCH, num_candidates=4)]
    with pytest.raises(ValueError, match='LossSearchHook and LossSearchHook, but only one'):
        runner_on(tmp_path, search=True, custom_hooks=hooks, runner_type=runner_type).train()


def test_replicas_with_different_numbers_of_images(tmp_path: Path):
    """One would wait for the other for ever."""
    more = (
        'loss_search = dict(replicas_per_candidate=2)\n'
        'train_dataloader = dict(sampler=dict(round_up=False), dataset=dict(indices=33))\n'
    )
    job = Job(tmp_path / 'work', processes=2, config=config_with(tmp_path, more=more))
    assert 0 not in job.wait()
    assert 'have different numbers of images in an epoch, [17, 16]' in job.log()
    assert 'round_up=True' in job.log()


PURE_PYTHON = """
from mmengine.config import read_base
from mmengine.dataset import DefaultSampler
from mmengine.optim import OptimWrapper
from mmpretrain.datasets import PackInputs
from mmpretrain.evaluation import Accuracy
from mmpretrain.models import CrossEntropyLoss, GlobalAveragePooling, ImageClassifier
from torch.optim import SGD

from amlfs_mm.datasets import Digits
from amlfs_mm.engine import LossSearchHook, LossSearchRunner
from amlfs_mm.models import {head}, CIFARResNet
from amlfs_mm.search import GaussianPolicy

default_scope = 'mmpretrain'
runner_type = LossSearchRunner
model = dict(
    type=ImageClassifier,
    backbone=dict(type=CIFARResNet, depth=8, base_channels=4),
    neck=dict(type=GlobalAveragePooling),
    head=dict(
        type={head},
        num_classes=10,
        in_channels=16,
        {loss}
    ),
)
data_preprocessor = dict(num_classes=10, mean=[127.5] * 3, std=[127.5] * 3, to_rgb=False)
train_dataloader = dict(
    batch_size=16,
    dataset=dict(type=Digits, split='train', indices=32, pipeline=[dict(type=PackInputs)]),
    sampler=dict(type=DefaultSampler, shuffle=True),
)
val_dataloader = dict(
    batch_size=16,
    dataset=dict(type=Digits, split='val', indices=32, pipeline=[dict(type=PackInputs)]),
    sampler=dict(type=DefaultSampler, shuffle=False),
)
val_evaluator = dict(type=Accuracy, topk=(1,))
val_cfg = dict()
train_cfg = dict(by_epoch=True, max_epochs=2)
optim_wrapper = dict(type=OptimWrapper, optimizer=dict(type=SGD, lr=0.1))
randomness = dict(seed=0)
custom_hooks = {hooks}
"""


@pytest.mark.parametrize('search', [False, True])
def test_a_config_in_pure_python(tmp_path: Path, search: bool):
    """Its types are the classes themselves, not their names."""
    hooks = '[dict(type=LossSearchHook, num_candidates=2, policy=dict(type=GaussianPolicy))]'
    head = 'AMLFSHead' if search else 'SoftmaxHead'
    loss = '' if search else 'loss=dict(type=CrossEntropyLoss, loss_weight=1.0),'
    text = PURE_PYTHON.format(head=head, loss=loss, hooks=hooks if search else '[]')
    (tmp_path / 'pure.py').write_text(text)
    cfg = Config.fromfile(tmp_path / 'pure.py')
    cfg.work_dir = str(tmp_path / 'work')
    runner = RUNNERS.build(cfg)
    runner.train()
    assert (runner.epoch, runner.iter) == (2, 4)
    # What the run has dumped is read as the same.
    run = read_run(tmp_path / 'work')
    assert (search_options(run.config) is not None) == search


@pytest.mark.parametrize('wrapped', [False, True])
def test_a_test_split_that_reads_the_training_files(tmp_path: Path, wrapped: bool):
    """mmpretrain's MNIST ignores split='test' unless test_mode is set."""
    from mmengine.dataset import RepeatDataset
    from mmpretrain.datasets import FashionMNIST

    write_mnist(tmp_path, 'train', 3)
    write_mnist(tmp_path, 't10k', 2)

    def data(**options) -> Dataset:
        part = FashionMNIST(str(tmp_path), split='test', download=False, **options)
        return RepeatDataset(part, 2) if wrapped else part

    check_split(data(test_mode=True), 'test_dataloader')
    with pytest.raises(ValueError, match=r'test_dataloader\.dataset is .* test_mode=True'):
        check_split(data(), 'test_dataloader')


def test_validation_data_that_are_repeated(tmp_path: Path):
    part = dict(type='Labelled', labels=20)
    repeated = dict(type='RepeatDataset', times=3, dataset=part, _delete_=True)
    with pytest.raises(ValueError, match=r'val_dataloader\.dataset is RepeatDataset, which gives'):
        runner_on(tmp_path, val_dataloader=dict(dataset=repeated)).train()


def test_validation_data_put_together_of_equal_ones(tmp_path: Path):
    """Equal, not the same: by their paths, or by their pixels."""
    paths = [f'images/{i}.png' for i in range(20)]
    for part in (small(20), small(20, paths=paths)):
        both = dict(type='ConcatDataset', datasets=[part, part], _delete_=True)
        with pytest.raises(ValueError, match=r'val_dataloader\.dataset \(ConcatDataset\)') as error:
            runner_on(tmp_path, val_dataloader=dict(dataset=both)).train()
        assert 'several times' in str(error.value)


def test_an_image_that_is_listed_twice(tmp_path: Path):
    listed = dict(small(3, paths=['a.png', 'b.png', './a.png']), labels=[1, 2, 1], _delete_=True)
    loader = dict(test_dataloader=dict(dataset=listed))
    with pytest.raises(ValueError, match=r'test_dataloader\.dataset .* lists /.*/a\.png several'):
        runner_on(tmp_path, **loader).test()


class Listed(Dataset):
    """A data set that is its annotations."""

    def __init__(self, infos: list[dict]) -> None:
        self.infos = infos

    def get_data_info(self, index: int) -> dict:
        return self.infos[index]

    def __len__(self) -> int:
        return len(self.infos)


def test_different_data_put_together():
    """Other images; or other parts of one image, as a detector cuts them out."""
    boxes = [dict(img_path='a', gt_label=1, box=(0, 0, side, 5)) for side in (5, 6)]
    check_listed_once(ConcatDataset([Listed(boxes), Labelled(4, paths=list('efgh'))]), 'val')
    with pytest.raises(ValueError, match=r'lists .*/a several times'):
        check_listed_once(ConcatDataset([Listed(boxes), Listed(boxes[:1])]), 'val')


@pytest.mark.parametrize('options', [dict(padding=0), dict(flip_prob=0.0)])
@pytest.mark.parametrize('wrapped', [False, True])
@pytest.mark.parametrize('stage', ['train', 'val', 'test'])
def test_images_in_memory_that_are_evaluated_with_random_crops(
    tmp_path: Path, stage: str, wrapped: bool, options: dict
):
    images = dict(type='Labelled', labels=40, serialize_data=False)
    data = dict(type='amlfs_mm.InMemoryImages', dataset=images, **options)
    if wrapped:
        data = dict(type='ConcatDataset', datasets=[data])
    part = 'test_dataloader' if stage == 'test' else 'val_dataloader'
    changes = {part: dict(dataset=dict(data, _delete_=True))}
    runner = runner_on(tmp_path, **changes, train_cfg=dict(max_epochs=1))
    with pytest.raises(ValueError, match=rf'{part}\.dataset is InMemoryImages.*set padding=0 and'):
        getattr(runner, stage)()


def test_images_in_memory_that_are_evaluated_as_they_are(tmp_path: Path):
    images = dict(type='Labelled', labels=40, serialize_data=False)
    data = dict(type='amlfs_mm.InMemoryImages', dataset=images, padding=0, flip_prob=0)
    runner = runner_on(tmp_path, val_dataloader=dict(dataset=dict(data, _delete_=True)))
    assert runner.val() == runner.val()


@pytest.mark.parametrize('evaluation', ['val', 'test'])
def test_an_evaluation_by_itself_is_checked(tmp_path: Path, evaluation: str):
    """Runner.val() and Runner.test(), without a training before them."""
    loader = {f'{evaluation}_dataloader': dict(batch_size=30, drop_last=True)}
    runner = runner_on(tmp_path, **loader)
    with pytest.raises(ValueError, match=rf'{evaluation}_dataloader\.drop_last=True leaves 10'):
        getattr(runner, evaluation)()
