"""What a second training needs: the training samples without the doubtful ones, or relabelled."""

from __future__ import annotations

import csv
import json
import os
import re
from pathlib import Path

from mmengine.config import Config
from mmengine.dataset import BaseDataset

from amlfs_mm.datasets.transforms import LabelNoise
from amlfs_mm.utils.atomic_files import atomic_write
from amlfs_mm.utils.text_files import write_text

from .table import LabelDoubt
from .training_data import JudgedSamples

LABELS = 'cleaned_labels.csv'
CONFIG = 'cleaned_config.py'
ANNOTATIONS = 'cleaned_annotations.txt'
INDICES = 'cleaned_indices.json'
SECOND_RUN = 'second_run'
"""The work dir of the second training, in that of the first."""


def dropped(doubts: list[LabelDoubt], count: int) -> dict[int, int]:
    """The labels by index, without the ``count`` most doubtful samples."""
    return {doubt.index: doubt.given for doubt in doubts if doubt.rank > count}


def relabelled(doubts: list[LabelDoubt], count: int) -> dict[int, int]:
    """The labels by index; the ``count`` most doubtful samples have the model's label."""
    return {
        doubt.index: doubt.suggested if doubt.rank <= count else doubt.given for doubt in doubts
    }


def write_cleaned(
    directory: Path,
    config: Config,
    samples: JudgedSamples,
    doubts: list[LabelDoubt],
    labels: dict[int, int],
) -> list[Path]:
    """Write the files of a second training; returns their paths.

    ``cleaned_labels.csv`` has ``index,label`` of the samples that stay. ``cleaned_config.py``
    trains the same config on them, by :class:`amlfs_mm.CleanedDataset`; it has another name if that
    is the run's own (:func:`config_name`). If all samples are files, ``cleaned_annotations.txt``
    lists them as ``<path> <label>``, for mmpretrain's ``CustomDataset`` and
    :class:`amlfs_mm.ImageFolder`. If nothing else than the choice of samples has changed,
    ``cleaned_indices.json`` is a list for ``train_dataloader.dataset.indices``. Files of an earlier
    call that do not fit any more are removed.

    Args:
        directory: The work dir of the run.
        config: That of the run, from the file that it dumped there.
        samples: The training samples.
        doubts: All of them.
        labels: The labels to train with, by index.

    Raises:
        ValueError: Fewer than two samples would stay.
    """
    if len(labels) < 2:
        raise ValueError(
            f'{len(doubts) - len(labels)} of {len(doubts)} samples are to be dropped: two at least '
            'must stay'
        )
    paths = [directory / LABELS, directory / config_name(config)]
    write_labels(paths[0], labels)
    write_text(paths[1], second_config(config, directory))

    kept = sorted((doubt for doubt in doubts if doubt.index in labels), key=lambda d: d.index)
    optional = {
        ANNOTATIONS: annotation_lines(kept, labels),
        INDICES: json.dumps(sorted(labels)) if has_plain_indices(samples, kept, labels) else None,
    }
    for name, text in optional.items():
        if text is None:
            (directory / name).unlink(missing_ok=True)
        else:
            write_text(directory / name, text)
            paths.append(directory / name)
    return paths


def write_labels(path: Path, labels: dict[int, int]) -> None:
    """Write a list as :class:`amlfs_mm.CleanedDataset` reads it."""
    with atomic_write(path) as temporary, open(temporary, 'w', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(('index', 'label'))
        writer.writerows(sorted(labels.items()))


def config_name(config: Config) -> str:
    """The file name of the next training's config, in the folder of the run's own config.

    A second training has dumped its config under the name ``cleaned_config.py``: that of the third
    is ``cleaned_config_2.py``, and so on, so that no run's own config is overwritten.
    """
    first, suffix = os.path.splitext(CONFIG)
    own = re.fullmatch(rf'{first}(?:_(\d+))?', Path(config.filename).stem)
    return f'{first}_{int(own[1] or 1) + 1}{suffix}' if own else CONFIG


def second_config(config: Config, directory: Path, labels: str = LABELS) -> str:
    """The config of the second training.

    If the first one was resumed, its ``load_from`` is a checkpoint of itself, which the second one
    must not start from.

    Args:
        config: That of the first training, from the file that it dumped.
        directory: Where the second training's config will be.
        labels: The list of labels, there.
    """
    base = os.path.relpath(config.filename, directory)
    text = f"""# Written by `amlfs_mm label-errors`: the training of {base}
# on the samples and labels of {labels}.
_base_ = ['./{base}']
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='amlfs_mm.CleanedDataset',
        dataset=_base_.train_dataloader.dataset,
        labels='{{{{ fileDirname }}}}/{labels}',
    )
)
work_dir = '{{{{ fileDirname }}}}/{SECOND_RUN}'
resume = False
"""
    if config.get('resume'):
        text += 'load_from = None\n'
    return text


def annotation_lines(kept: list[LabelDoubt], labels: dict[int, int]) -> str | None:
    """Lines ``<absolute path> <label>``; None if a sample is no file of its own."""
    found = {os.path.abspath(doubt.path) for doubt in kept if doubt.path}
    if len(found) < len(kept) or not all(map(os.path.isfile, found)):
        return None
    lines = [f'{os.path.abspath(doubt.path)} {labels[doubt.index]}\n' for doubt in kept]
    return ''.join(lines)


def has_plain_indices(
    samples: JudgedSamples, kept: list[LabelDoubt], labels: dict[int, int]
) -> bool:
    """Whether ``indices`` of the data set are all that a second training needs.

    LabelNoise would give a sample another label, because its place in the data set is another.
    """
    dataset = samples.dataset
    if not isinstance(dataset, BaseDataset) or any(d.given != labels[d.index] for d in kept):
        return False
    transforms = getattr(getattr(dataset, 'pipeline', None), 'transforms', [])
    return not any(isinstance(transform, LabelNoise) for transform in transforms)
