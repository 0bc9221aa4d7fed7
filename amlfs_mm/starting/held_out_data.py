"""What D_v of a baseline's config is: the data on which a search would score its candidates."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from .head import type_name

WHERE = ('data_root', 'split', 'part', 'source', 'ann_file', 'data_prefix', 'fold', 'held_out')
"""Options of a data set that say what it reads, in the order in which they are shown."""
IRRELEVANT = ('_scope_', 'pipeline', 'download')


class HeldOutData(NamedTuple):
    """D_v in words."""

    text: str
    warning: str | None
    """Why it must not be D_v; None if nothing speaks against it."""


def describe_held_out_data(cfg: Any) -> HeldOutData:
    """What ``val_dataloader`` of a config reads, and whether that is the test or training set.

    Raises:
        ValueError: The config has no ``val_dataloader`` or no ``val_evaluator``.
    """
    for key in ('val_dataloader', 'val_evaluator'):
        if not cfg.get(key):
            raise ValueError(
                f'the base has no {key}: a search scores its candidates on held-out data (D_v), '
                'which val_dataloader reads and val_evaluator scores'
            )
    dataset = cfg.val_dataloader['dataset']
    text = describe(dataset)
    tested = (cfg.get('test_dataloader') or {}).get('dataset')
    trained = (cfg.get('train_dataloader') or {}).get('dataset')
    if trained and reads(trained) == reads(dataset):
        return HeldOutData(
            text, f'D_v is the training data ({text}). The search will refuse to start.'
        )
    if tested and reads(tested) == reads(dataset):
        why = 'test_dataloader reads the same'
    elif part := named_test(dataset):
        why = f'it has {part}'
    else:
        return HeldOutData(text, None)
    return HeldOutData(
        text,
        f'D_v is the test set: val_dataloader reads {text}, and {why}. The search chooses the best '
        'of its candidates on D_v in every round, so a test on the same data is not fair. Hold '
        'out a part of the training data for it.',
    )


def describe(dataset: Any) -> str:
    """A data set's config as a call, with what says where it reads: ``CIFAR10(split='test')``."""
    inner = dataset.get('dataset')
    options = [f'{key}={dataset[key]!r}' for key in WHERE if dataset.get(key) not in (None, '')]
    options = [describe(inner), *options] if isinstance(inner, dict) else options
    return f'{type_name(dataset["type"])}({", ".join(options)})'


def reads(dataset: Any) -> Any:
    """What a data set's config reads, in a form that can be compared."""
    if isinstance(dataset, dict):
        pairs = {key: reads(value) for key, value in dataset.items() if key not in IRRELEVANT}
        if 'type' in pairs:
            pairs['type'] = type_name(pairs['type'])
        return pairs
    if isinstance(dataset, (list, tuple)):
        return [reads(value) for value in dataset]
    return os.path.normpath(dataset) if isinstance(dataset, str) and '/' in dataset else dataset


def named_test(dataset: Any) -> str | None:
    """The option by whose name a data set is a test set, such as ``split='test'``; else None."""
    for key in ('split', 'part'):
        if dataset.get(key) == 'test':
            return f"{key}='test'"
    inner = dataset.get('dataset')
    return named_test(inner) if isinstance(inner, dict) else None


def check_hold_out(cfg: Any) -> None:
    """A part of the training data can be held out by ``KFoldDataset``, and scored.

    Raises:
        ValueError: The training set holds data out by itself or is made of others, or D_v is scored
            by more than the accuracy.

    When:
        ``amlfs_mm new`` looks at a baseline.
    """
    dataset = cfg.train_dataloader['dataset']
    if 'held_out' in dataset:
        raise ValueError(
            f'the training set {describe(dataset)} holds data out by itself: set its held_out, and '
            'the same in val_dataloader'
        )
    if 'dataset' in dataset or 'datasets' in dataset:
        raise ValueError(
            f'the training set {describe(dataset)} is made of other data sets: hold out a part of '
            'them in the config itself'
        )
    evaluator = cfg.val_evaluator
    for metric in evaluator if isinstance(evaluator, (list, tuple)) else [evaluator]:
        if type_name(metric['type']) not in ('Accuracy', 'SingleLabelMetric'):
            raise ValueError(
                f'val_evaluator has {type_name(metric["type"])}, which a part of the training '
                'data may not suit: hold it out in the config itself'
            )
