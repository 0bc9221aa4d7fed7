"""Data and head are compared at the start of every run; labels also while they are loaded."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.small_data import PACK, SOFTMAX, Labelled, runner_on
from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS
from PIL import Image
from torch import nn

from amlfs_mm.engine.checks import check_concatenated, check_labels
from amlfs_mm.engine.distributed.failures import CandidateError
from amlfs_mm.models import SoftmaxHead

LINEAR = dict(type='LinearClsHead', num_classes=10, in_channels=16, topk=(1,), _delete_=True)
SHARDED = dict(SOFTMAX, sharded=True)
HEADS = dict(softmax=SOFTMAX, linear=LINEAR, sharded=SHARDED)


@TRANSFORMS.register_module()
class Relabel(BaseTransform):
    """Adds a number to the label."""

    def __init__(self, by: int) -> None:
        self.by = by

    def transform(self, results: dict) -> dict:
        return results | dict(gt_label=results['gt_label'] + self.by)


@TRANSFORMS.register_module()
class ToInt(BaseTransform):
    """A label that is written as something else."""

    def transform(self, results: dict) -> dict:
        return results | dict(gt_label=int(results['gt_label']))


def small(labels: list | int, **options: Any) -> dict:
    return dict(type='Labelled', labels=labels, **options)


def loaders_of(**datasets: dict) -> dict:
    """Data sets in place of those of the config: ``train``, ``val``, ``test``."""
    return {
        f'{part}_dataloader': dict(dataset=dict(dataset, _delete_=True))
        for part, dataset in datasets.items()
    }


@pytest.mark.parametrize('head', HEADS)
def test_more_classes_than_the_head_of_a_baseline(tmp_path: Path, head: str):
    model = dict(head=dict(HEADS[head], num_classes=7))
    with pytest.raises(ValueError, match=r'10 classes, the head num_classes=7') as error:
        runner_on(tmp_path, model=model).train()
    assert 'set model.head.num_classes=10' in str(error.value)


@pytest.mark.parametrize(
    ('head', 'label'), [('softmax', 10), ('linear', -1), ('sharded', 12345), ('searched', -1)]
)
def test_a_label_out_of_range(tmp_path: Path, head: str, label: int):
    labels = [i % 10 for i in range(40)]
    labels[33] = label
    paths = [f'images/{i}.png' for i in range(40)]
    search = head == 'searched'
    model = {} if search else dict(model=dict(head=HEADS[head]))
    dataset = dict(type='Labelled', labels=labels, paths=paths)
    with pytest.raises(ValueError, match='has gt_label') as error:
        runner_on(tmp_path, dataset, search, **model).train()
    for part in ('sample 33', 'images/33.png', f'gt_label={label}', 'classes 0 to 9'):
        assert part in str(error.value)


def test_a_transform_that_makes_labels_out_of_range(tmp_path: Path):
    """The data set cannot know: found while the first batch is loaded."""
    pipeline = [dict(type='Relabel', by=5), *PACK]
    dataset = dict(type='Labelled', labels=40, pipeline=pipeline)
    with pytest.raises(ValueError, match=r'sample \d+ has gt_label=1[0-4], but.* 0 to 9'):
        runner_on(tmp_path, dataset).train()


def test_labels_of_images_in_memory(tmp_path: Path):
    """Their batches are not collated: all labels are known at the start."""
    pipeline = [dict(type='Relabel', by=5), *PACK]
    inner = dict(type='Labelled', labels=40, pipeline=pipeline)
    dataset = dict(type='amlfs_mm.InMemoryImages', dataset=inner, padding=0)
    with pytest.raises(ValueError, match='sample 5 has gt_label=10, but'):
        runner_on(tmp_path, dataset).train()


def test_a_transform_that_brings_labels_into_range(tmp_path: Path):
    """Labels from 1, as the files have them; what is trained with is right."""
    dataset = dict(
        type='Labelled',
        labels=[1 + i % 10 for i in range(32)],
        pipeline=[dict(type='Relabel', by=-1), *PACK],
    )
    runner = runner_on(tmp_path, dataset, train_cfg=dict(max_epochs=1))
    runner.train()
    assert runner.iter == 2


@pytest.mark.parametrize('search', [False, True])
def test_samples_without_labels(tmp_path: Path, search: bool):
    dataset = dict(type='Labelled', labels=[None] * 32)
    with pytest.raises((ValueError, CandidateError), match='has no gt_label, which') as error:
        runner_on(tmp_path, dataset, search).train()
    assert 'before PackInputs' in str(error.value)


@pytest.mark.parametrize('part', ['train', 'val', 'test'])
@pytest.mark.parametrize('label', [1.0, 'cat', np.float32(2), np.int64(3), float('nan')])
def test_labels_of_another_type(tmp_path: Path, part: str, label: Any):
    """mmpretrain refuses them without the sample's name."""
    given = dict(train=small(32), val=small(16), test=small(16))
    given[part] = small([0, 1, 2, label, *range(4, 10)])
    runner = runner_on(tmp_path, **loaders_of(**given))
    with pytest.raises(
        ValueError, match=r'sample 3 has gt_label=.*, but a class is an int'
    ) as error:
        runner.test() if part == 'test' else runner.train()
    assert 'from 0 to 9' in str(error.value)


@pytest.mark.parametrize('part', ['validation', 'test'])
def test_scored_samples_without_labels(tmp_path: Path, part: str):
    wrong = small([0, 1, None, 3])
    runner = runner_on(
        tmp_path, small(32), **loaders_of(**{part[:3] if part != 'test' else part: wrong})
    )
    with pytest.raises(ValueError, match=rf'{part} sample 2 has no gt_label, but the {part} data'):
        runner.test() if part == 'test' else runner.train()


@pytest.mark.parametrize('label', [np.int64(3), '3'])
def test_a_transform_that_makes_labels(tmp_path: Path, label: Any):
    dataset = small([label] * 32, pipeline=[dict(type='ToInt'), *PACK])
    runner = runner_on(
        tmp_path, train_cfg=dict(max_epochs=1), **loaders_of(train=dataset, val=dataset)
    )
    runner.train()
    assert runner.iter == 2


class Endless:
    """A data set of the size of ImageNet that counts how often it is asked."""

    def __init__(self, bad: range = range(0)) -> None:
        self.asked = 0
        self.bad = bad

    def __len__(self) -> int:
        return 1_281_167

    def get_data_info(self, index: int) -> dict:
        self.asked += 1
        return dict(gt_label=1000 if index in self.bad else index % 1000)

    def __getitem__(self, index: int) -> dict:
        raise OSError('no images here')


def test_large_data_are_sampled():
    head: nn.Module = SoftmaxHead(1000, 4)
    data = Endless()
    started = time.perf_counter()
    check_labels([head], data)
    assert time.perf_counter() - started < 1
    assert 0 < data.asked <= 20_000
    with pytest.raises(ValueError, match='gt_label=1000'):  # one class in a hundred is wrong
        check_labels([head], Endless(bad=range(500_000, 512_000)))


def test_data_sets_with_different_classes():
    """Their class 0 would be the same class."""
    from mmengine.dataset import ConcatDataset, RepeatDataset

    pets = Labelled(4, classes=['cat', 'dog'])
    cars = Labelled(4, classes=['bus', 'van'])
    check_concatenated(ConcatDataset([pets, pets]))
    mixed = ConcatDataset([pets, cars], ignore_keys='classes')
    for dataset in (mixed, RepeatDataset.__new__(RepeatDataset)):
        if dataset is not mixed:
            dataset.dataset = mixed
        with pytest.raises(ValueError, match=r'2 classes \(cat, dog\) and 2 classes \(bus, van\)'):
            check_concatenated(dataset)


def scored_on(dataset: dict) -> dict:
    return dict(val_dataloader=dict(dataset=dict(dataset, _delete_=True)))


def test_a_label_of_the_validation_data_out_of_range(tmp_path: Path):
    """It could never be right: the score would be too low in silence."""
    wrong = dict(type='Labelled', labels=[0, 1, -1, 3] * 4)
    with pytest.raises(ValueError, match='validation sample 2 has gt_label=-1'):
        runner_on(tmp_path, dict(type='Labelled', labels=40), **scored_on(wrong)).train()


@pytest.mark.parametrize('classes', [list('bcdefghij'), list('bacdefghij')])
def test_validation_data_that_number_their_classes_otherwise(tmp_path: Path, classes: list[str]):
    trained = dict(type='Labelled', labels=40, classes=list('abcdefghij'))
    scored = dict(type='Labelled', labels=[i % len(classes) for i in range(20)], classes=classes)
    with pytest.raises(ValueError, match=r'the validation data have \d+ classes \(b, '):
        runner_on(tmp_path, trained, **scored_on(scored)).train()


def test_test_data_with_a_label_out_of_range(tmp_path: Path):
    wrong = dict(type='Labelled', labels=[0, 12])
    data = dict(test_dataloader=dict(dataset=dict(wrong, _delete_=True)))
    with pytest.raises(ValueError, match='test sample 1 has gt_label=12'):
        runner_on(tmp_path, dict(type='Labelled', labels=40), **data).test()


def write_folders(root: Path, *classes: str, color_type: str = 'color') -> dict:
    """A config of mmpretrain's CustomDataset over four images of each class."""
    draw = np.random.default_rng(0)
    for name in classes:
        for number in range(4):
            (root / name).mkdir(parents=True, exist_ok=True)
            image = draw.integers(256, size=(8, 8, 3), dtype=np.uint8)
            Image.fromarray(image).save(root / name / f'{number}.png')
    load = dict(type='LoadImageFromFile', color_type=color_type)
    return dict(type='CustomDataset', data_root=str(root), pipeline=[load, *PACK])


@pytest.mark.parametrize('part', ['train', 'val', 'test'])
def test_a_hidden_folder_that_mmpretrain_takes_for_a_class(tmp_path: Path, part: str):
    data = write_folders(tmp_path / 'images', 'a', 'b')
    wrong = write_folders(tmp_path / 'wrong', '.ipynb_checkpoints', 'a', 'b')
    given = dict(train=data, val=data) | {part: dict(type='ConcatDataset', datasets=[wrong])}
    head = dict(head=dict(SOFTMAX, num_classes=2))
    runner = runner_on(tmp_path, model=head, **loaders_of(**given))
    with pytest.raises(ValueError, match=rf'{part}_dataloader.dataset \(CustomDataset\)') as error:
        runner.test() if part == 'test' else runner.train()
    for message in (
        "hidden folder '.ipynb_checkpoints'",
        f'{tmp_path}/wrong',
        'amlfs_mm.ImageFolder',
    ):
        assert message in str(error.value)


def test_test_folders_that_number_their_classes_otherwise(tmp_path: Path):
    """The checkpoint says which classes its training had: b was 1 there, and is 0 here."""
    trained = write_folders(tmp_path / 'train', 'a', 'b', 'c')
    fewer = write_folders(tmp_path / 'test', 'b', 'c')
    renamed = dict(trained, metainfo=dict(classes=['ant', 'bee', 'cat']))
    head = dict(model=dict(head=dict(SOFTMAX, num_classes=3)), train_cfg=dict(max_epochs=1))
    runner_on(tmp_path / 'work', **head, **loaders_of(train=trained, val=trained)).train()

    def evaluate(data: dict, evaluation: str) -> dict:
        load_from = str(tmp_path / 'work' / 'epoch_1.pth')
        loader = loaders_of(**{evaluation: data})
        runner = runner_on(tmp_path / 'again', load_from=load_from, **head, **loader)
        return getattr(runner, evaluation)()

    for evaluation, role in (('test', 'test'), ('val', 'validation')):
        with pytest.raises(
            ValueError, match=rf'the {role} data have 2 classes \(b, c\), the train'
        ):
            evaluate(fewer, evaluation)
    assert evaluate(trained, 'test') == evaluate(renamed, 'test')


@pytest.mark.parametrize('gib', [0, 0.1])
def test_grey_images_and_a_mean_of_three_channels(tmp_path: Path, gib: float):
    data = write_folders(tmp_path / 'images', 'a', 'b', color_type='grayscale')
    runner = runner_on(tmp_path, in_memory_gib=gib, **loaders_of(train=data, val=data))
    with pytest.raises(ValueError, match=r'an image has 1 channel, but .*mean has 3 values'):
        runner.train()


@pytest.mark.parametrize('label', [[1.5], np.array([1.5]), [np.float32(0.3)]])
@pytest.mark.parametrize('part', ['train', 'val'])
def test_a_fraction_in_a_list_is_no_class(tmp_path: Path, label: Any, part: str):
    """mmpretrain alone cuts it off: 1.5 becomes class 1."""
    labels: list = [[i % 10] for i in range(40)]
    labels[3] = label
    with pytest.raises(ValueError, match=r'sample 3 has gt_label=.*a class is a whole number'):
        runner_on(tmp_path, **loaders_of(**{part: small(labels)})).train()


def test_several_classes_of_a_sample_have_no_accuracy(tmp_path: Path):
    with pytest.raises(ValueError, match=r'validation sample 0 has gt_label=\[1, 2\].*one class'):
        runner_on(tmp_path, **loaders_of(val=small([[1, 2]] * 8))).train()


@pytest.mark.parametrize('metric', ['ReIDMetric', 'FaceIdentification'])
def test_fields_of_a_metric_are_asked_for_before_the_training(tmp_path: Path, metric: str):
    evaluator = dict(val_evaluator=dict(type=f'amlfs_mm.{metric}', _delete_=True))
    runner = runner_on(tmp_path, model=dict(type='amlfs_mm.EmbeddingClassifier'), **evaluator)
    with pytest.raises(ValueError, match=rf"{metric} needs \['person_id'.*meta_keys"):
        runner.train()
    assert runner.iter == 0


def test_flags_of_pairs_are_asked_for_before_the_training(tmp_path: Path):
    evaluator = dict(val_evaluator=dict(type='amlfs_mm.FaceVerification', _delete_=True))
    runner = runner_on(tmp_path, model=dict(type='amlfs_mm.EmbeddingClassifier'), **evaluator)
    with pytest.raises(ValueError, match=r"FaceVerification needs .*metainfo\['is_same'\]"):
        runner.train()
    assert runner.iter == 0
