"""The training samples of a run as they are judged: images as tested, labels as trained."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from mmengine.config import Config, ConfigDict
from mmpretrain.registry import DATASETS
from torch.utils.data import Dataset

from amlfs_mm.datasets import InMemoryImages
from amlfs_mm.datasets.source_positions import source_positions
from amlfs_mm.engine.checks.annotations import annotation
from amlfs_mm.utils.config_types import resolves_to

LABEL_TRANSFORMS = ('LabelNoise',)
"""Transforms of ours that change a label and nothing else."""


class JudgedSamples(Dataset):
    """The training set without random augmentation, each sample of the source once.

    A label is the one that the run trained with: :class:`amlfs_mm.LabelNoise` and other transforms
    of the training pipeline have changed it. The image is made by the pipeline of D_v, without the
    augmentation of :class:`amlfs_mm.InMemoryImages`: a random crop would make the judgement random.

    Args:
        config: Of the run.
        part: The loader whose data set it is: ``train_dataloader``, or ``val_dataloader`` for D_v.

    Attributes:
        dataset: The training set of the config.
        positions: The position of each sample in its source (:func:`.source_positions`).
        indices: The position of each sample in ``dataset``.

    Raises:
        ValueError: The config has no training set, or one without a pipeline.
    """

    def __init__(self, config: Config, part: str = 'train_dataloader') -> None:
        if not config.get(part):
            raise ValueError(f'{config.filename} has no {part}, whose labels are judged')
        train = config[part].dataset
        self.dataset = DATASETS.build(train)
        first: dict[int, int] = {}
        for index, position in enumerate(source_positions(self.dataset)):
            first.setdefault(position, index)
        self.positions = sorted(first)
        self.indices = [first[position] for position in self.positions]
        still = still_pipeline(config)
        images = without_in_memory(train)
        differs = images != train
        if still is not None and any(
            without_label_transforms(pipeline) != still for pipeline in pipelines(train)
        ):
            images, differs = with_pipeline(images, still), True
        self.images = DATASETS.build(images) if differs else self.dataset

    @property
    def classes(self) -> list[str]:
        """The names of the classes; empty if the data set has none."""
        return [str(name) for name in self.metainfo.get('classes') or ()]

    @property
    def metainfo(self) -> dict:
        """That of the training set."""
        return getattr(self.dataset, 'metainfo', None) or {}

    def path(self, number: int) -> str:
        """Where a sample's image is, as its data set says it; empty if it does not say."""
        info = annotation(self.dataset, self.indices[number]) or {}
        return str(info.get('img_path') or '')

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, number: int) -> dict:
        index = self.indices[number]
        sample = self.images[index]
        if self.images is not self.dataset:
            trained = self.dataset[index]['data_samples']
            sample['data_samples'].set_gt_label(trained.gt_label)
        return sample


def still_pipeline(config: Config) -> list | None:
    """The pipeline of D_v, or of the test data if there is no D_v; None if there is neither."""
    for name in ('val_dataloader', 'test_dataloader'):
        loader = config.get(name)
        found = pipelines(loader.dataset) if loader else []
        if found:
            return found[0]
    return None


def pipelines(dataset: Any) -> list[list]:
    """The pipelines in the config of a data set, that of each source if it is made of several."""
    found: list[list] = []

    def collect(source: ConfigDict) -> None:
        found.append(list(source.pipeline))

    visit_sources(dataset, collect)
    return found


def without_in_memory(dataset: Any) -> Any:
    """The same config of a data set, with the source of each ``InMemoryImages`` in its place."""
    if resolves_to(dataset.get('type'), DATASETS, InMemoryImages):
        return without_in_memory(dataset['dataset'])
    if 'pipeline' in dataset:
        return dataset
    dataset = copy.copy(dataset)
    if 'dataset' in dataset:
        dataset['dataset'] = without_in_memory(dataset['dataset'])
    if 'datasets' in dataset:
        dataset['datasets'] = [without_in_memory(part) for part in dataset['datasets']]
    return dataset


def with_pipeline(dataset: ConfigDict, pipeline: list) -> ConfigDict:
    """The same config of a data set with another pipeline in each source."""
    dataset = copy.deepcopy(dataset)

    def replace(source: ConfigDict) -> None:
        source.pipeline = copy.deepcopy(pipeline)

    visit_sources(dataset, replace)
    return dataset


def visit_sources(dataset: Any, visit: Callable[[ConfigDict], None]) -> None:
    """Call ``visit`` with each config in the config of a data set that has a pipeline."""
    if 'pipeline' in dataset:
        visit(dataset)
    elif 'dataset' in dataset:
        visit_sources(dataset['dataset'], visit)
    for part in dataset.get('datasets', ()):
        visit_sources(part, visit)


def without_label_transforms(pipeline: list) -> list:
    """A pipeline without the transforms that change labels only."""
    return [
        transform
        for transform in pipeline
        if str(transform['type']).rpartition('.')[2] not in LABEL_TRANSFORMS
    ]
