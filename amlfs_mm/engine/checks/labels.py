"""Whether the labels of the data are classes that the model has."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmengine.evaluator import Evaluator
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from amlfs_mm.utils.image_names import is_ignored
from amlfs_mm.utils.randomness import generators_kept

from .annotations import annotation, describe_sample, sampled_annotations


def classification_heads(model: nn.Module) -> list[Any]:
    """The heads of a model that classify ``gt_label``, those inside other heads too."""
    modules: list[Any] = [
        m for m in model.modules() if isinstance(getattr(m, 'num_classes', None), int)
    ]
    if not modules or any(hasattr(module, 'task_heads') for module in model.modules()):
        return []  # several tasks have several labels
    from mmpretrain.models.heads import ClsHead  # takes a second, where no model is mmpretrain's

    return [m for m in modules if isinstance(m, ClsHead) and m.num_classes > 0]


def check_num_classes(heads: list[Any], dataset: Any) -> None:
    """Every class of the training set has an output.

    Raises:
        ValueError: A head has fewer classes than the data.

    When:
        Every training starts.
    """
    classes = (getattr(dataset, 'metainfo', None) or {}).get('classes') or ()
    for head in heads:
        if len(classes) > head.num_classes:
            raise ValueError(
                f'the training set has {len(classes)} classes, the head num_classes='
                f'{head.num_classes}: set model.head.num_classes={len(classes)}'
            )


def check_class_folders(dataset: Any, name: str) -> None:
    """Hidden folders are no classes.

    mmpretrain's ``CustomDataset`` takes every folder for a class, ``.ipynb_checkpoints`` too, which
    shifts the numbers of the others. :class:`amlfs_mm.ImageFolder` leaves them out.

    Args:
        dataset: The data set; also one made of others.
        name: The name of its loader's config.

    Raises:
        ValueError: A class is a hidden folder, or one that an operating system makes.

    When:
        Every training and every evaluation starts.
    """
    for part in [getattr(dataset, 'dataset', None), *getattr(dataset, 'datasets', [])]:
        if part is not None:
            check_class_folders(part, name)
    hidden = [folder for folder in getattr(dataset, 'folder_to_idx', ()) if is_ignored(folder)]
    if hidden:
        raise ValueError(
            f'{name}.dataset ({type(dataset).__name__}) counts the hidden folder {hidden[0]!r} in '
            f'{getattr(dataset, "img_prefix", "its folder")!r} as a class: remove it, or use '
            'amlfs_mm.ImageFolder, which leaves hidden folders out'
        )


def check_concatenated(dataset: Any) -> None:
    """Data sets that are put together number the same classes in the same way.

    Raises:
        ValueError: The parts have different classes, whose numbers would be mixed up.

    When:
        Every training starts.
    """
    parts = getattr(dataset, 'datasets', None)
    if parts is None:
        inner = getattr(dataset, 'dataset', None)
        if inner is not None:
            check_concatenated(inner)
        return
    known = [(getattr(part, 'metainfo', None) or {}).get('classes') for part in parts]
    named = [tuple(classes) for classes in known if classes]
    for other in named[1:]:
        if other != named[0]:
            raise ValueError(
                f'{type(dataset).__name__} puts data sets with different classes together: '
                f'{_some(named[0])} and {_some(other)}. Class 0 of one would be class 0 of the '
                'other. Give all parts the same metainfo.classes'
            )
    for part in parts:
        check_concatenated(part)


def check_labels(heads: list[Any], dataset: Any, role: str = 'training') -> None:
    """Every label is a class of the head, a whole number in [0, num_classes).

    Of a large data set a sample is checked, and every training batch when it is loaded.

    Args:
        heads: Of the model.
        dataset: Whose labels are checked.
        role: ``'training'``, ``'validation'`` or ``'test'``, for the message.

    Raises:
        ValueError: A label is no class, or a sample has no label; the message names sample, label
            and range.

    When:
        Every training starts, every batch of it is loaded, and every test starts.
    """
    if not heads:
        return
    num_classes = min(head.num_classes for head in heads)
    _check_labels_in_memory(dataset, num_classes, role)
    transformed = False  # whether a transform makes labels of what the annotations have
    for index, info in sampled_annotations(dataset):
        label = info.get('gt_label')
        numbers = _numbers(label)
        wrong = next((number for number in numbers if not 0 <= number < num_classes), None)
        if _has_fraction(label):  # mmpretrain would cut it off
            raise ValueError(
                f'{role} {describe_sample(index, info)} has gt_label={label!r}, but a class is a '
                f'whole number from 0 to {num_classes - 1}: correct the label, or give shares of '
                'classes as gt_score'
            )
        if role != 'training' and len(numbers) > 1:
            raise ValueError(
                f'{role} {describe_sample(index, info)} has gt_label={label!r}, but the data are '
                'scored by accuracy: give each sample one class, or use MultiLabelMetric'
            )
        taken = bool(numbers) and not isinstance(label, np.integer)  # mmpretrain takes no such one
        if wrong is None and (taken or transformed or 'gt_score' in info):
            continue
        # A transform may still change the label: what is trained with decides.
        if _loads_well(dataset, index, num_classes):
            transformed = transformed or not taken
            continue
        if wrong is not None or label is not None or role != 'training':
            sample = f'{role} {describe_sample(index, info)}'
            raise ValueError(_refused_label(sample, label, wrong, num_classes, role))
        # A training sample without a label: the batches are checked.


def _check_labels_in_memory(dataset: Any, num_classes: int, role: str) -> None:
    """The same for images in memory: all labels are known, as they are trained with."""
    labels = getattr(dataset, 'labels', None)
    if not isinstance(labels, Tensor):
        return
    for index in ((labels < 0) | (labels >= num_classes)).nonzero().flatten().tolist()[:1]:
        sample = describe_sample(index, annotation(dataset, index) or {})
        raise ValueError(bad_label(f'{role} {sample}', int(labels[index]), num_classes))


def _refused_label(sample: str, label: Any, wrong: int | None, num_classes: int, role: str) -> str:
    """The message for a sample's label.

    Args:
        sample: In words.
        label: Of its annotation; None if there is none.
        wrong: The number in it that is no class, if that is the reason.
        num_classes: C.
        role: Of the data.
    """
    if wrong is not None:
        return bad_label(sample, wrong, num_classes)
    if label is not None:
        return (
            f'{sample} has gt_label={label!r} ({type(label).__name__}), but a class is an int '
            f'from 0 to {num_classes - 1}'
        )
    return (
        f'{sample} has no gt_label, but the {role} data are scored by accuracy: let the data set, '
        'or a transform before PackInputs, set gt_label'
    )


def check_evaluated_classes(
    heads: list[Any], evaluator: Evaluator, dataset: Any, role: str, trained: dict | None = None
) -> None:
    """Data that are scored by accuracy have the classes of the model, numbered as in training.

    Other metrics give labels another meaning, such as the identities of persons.

    Args:
        heads: Of the model.
        evaluator: Of the data.
        dataset: The data.
        role: ``'validation'`` or ``'test'``, for the message.
        trained: ``metainfo`` of the training set; None if it is not known.

    Raises:
        ValueError: A label is no class of the head, or the classes differ from those of training.

    When:
        Every training with an evaluation, and every test starts.
    """
    if not heads or not _scores_accuracy(evaluator):
        return
    check_concatenated(dataset)
    check_labels(heads, dataset, role)
    known = [trained or {}, getattr(dataset, 'metainfo', None) or {}]
    train_classes, classes = (tuple(metainfo.get('classes') or ()) for metainfo in known)
    if train_classes and classes and train_classes != classes:
        raise ValueError(
            f'the {role} data have {_some(classes)}, the training data {_some(train_classes)}: the '
            'same number would mean different classes. Give both the same metainfo.classes, in the '
            'same order'
        )


def _scores_accuracy(evaluator: Evaluator) -> bool:
    from mmpretrain.evaluation import Accuracy, SingleLabelMetric  # the heads have imported it

    return any(isinstance(m, (Accuracy, SingleLabelMetric)) for m in evaluator.metrics)


def bad_label(sample: str, label: int, num_classes: int) -> str:
    """The message for a label that is no class."""
    return (
        f'{sample} has gt_label={label}, but the head has the classes 0 to {num_classes - 1} '
        f'(num_classes={num_classes}): correct the label, or set model.head.num_classes'
    )


def _numbers(label: Any) -> list[int]:
    """The classes of an annotation; none where it is something else."""
    if isinstance(label, (int, np.integer)):
        return [int(label)]
    if isinstance(label, (np.ndarray, Tensor)):
        label = label.reshape(-1).tolist()
    if isinstance(label, (list, tuple)) and all(map(_is_whole, label)):
        return [int(number) for number in label]
    return []


def _has_fraction(label: Any) -> bool:
    """Whether a list, array or tensor of numbers has one that is no whole number."""
    if isinstance(label, (np.ndarray, Tensor)):
        label = label.reshape(-1).tolist()
    return isinstance(label, (list, tuple)) and any(
        isinstance(number, (float, np.floating)) and not float(number).is_integer()
        for number in label
    )


def _is_whole(number: Any) -> bool:
    if isinstance(number, float):
        return number.is_integer()
    return isinstance(number, (int, np.integer))


def _loads_well(dataset: Any, index: int, num_classes: int) -> bool:
    try:
        with generators_kept():
            sample = dataset[index]['data_samples']
    except Exception:
        return False  # the label is wrong in any case
    loaded = sample.get('gt_label') if isinstance(sample, BaseDataElement) else None
    numbers = _numbers(loaded)
    return bool(numbers) and all(0 <= number < num_classes for number in numbers)


def _some(classes: tuple) -> str:
    shown = ', '.join(map(str, classes[:3]))
    return f'{len(classes)} classes ({shown}{", ..." if len(classes) > 3 else ""})'
