"""What a search on a baseline costs."""

from __future__ import annotations

import copy
import inspect
from typing import Any

from mmengine.registry import DATASETS, DefaultScope

from amlfs_mm.utils.config_types import resolve_type
from amlfs_mm.utils.paths import user_path

from .held_out_data import describe


def training_epochs(cfg: Any) -> int:
    """The epochs of a config's training.

    Raises:
        ValueError: It does not train by epochs.
    """
    train_cfg = cfg.get('train_cfg') or {}
    kind = train_cfg.get('type', 'EpochBasedTrainLoop')
    if kind != 'EpochBasedTrainLoop' or not train_cfg.get('by_epoch', 'type' in train_cfg):
        raise ValueError(
            f'a loss search needs training by epochs, but the base has train_cfg='
            f'{dict(train_cfg)}: a round is an epoch. Set train_cfg=dict(by_epoch=True, '
            'max_epochs=...)'
        )
    return train_cfg['max_epochs']


def count_images(dataset: Any, default_scope: str) -> int | None:
    """The images of a data set's config; None if its data are not on this machine.

    Nothing is downloaded.
    """
    dataset = copy.deepcopy(dataset)
    with DefaultScope.overwrite_default_scope(default_scope):
        if not _is_here(dataset):
            return None
        try:
            return len(DATASETS.build(dataset))
        except Exception:  # whatever a data set of any package raises when files are missing
            return None


def _is_here(dataset: Any) -> bool:
    """Whether the folder of a data set is there; it is told not to download anything."""
    if isinstance(dataset.get('dataset'), dict):
        return _is_here(dataset['dataset'])
    kind = resolve_type(dataset['type'], DATASETS)
    if kind is None or not user_path(dataset.get('data_root') or '.').is_dir():
        return False
    if 'download' in inspect.signature(kind).parameters:
        dataset['download'] = False
    return True


def describe_cost(cfg: Any, num_candidates: int, images: int | None) -> str:
    """The compute of a search in words.

    Args:
        cfg: The search's config, or its baseline's.
        num_candidates: B.
        images: Training images of an epoch; None if they are not known.
    """
    epochs = training_epochs(cfg)
    text = (
        f'as much as {num_candidates} trainings of the baseline: {epochs} epochs x '
        f'{num_candidates} candidates x '
    )
    if images is None:
        data = describe(cfg.train_dataloader['dataset'])
        return f'{text}the images of {data}, which are not on this machine'
    total = epochs * num_candidates * images
    return f'{text}{images:,} images = {total:,} images'
