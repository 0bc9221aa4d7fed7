"""What must hold before any training, with a search or without."""

from __future__ import annotations

from mmengine.runner import BaseLoop, Runner

from amlfs_mm.utils.model_wrappers import unwrapped

from ..state.weights import check_pretrained
from .batch_norm import check_batch_norm
from .batches import (
    check_evaluation_data,
    check_iterations,
    check_replicas,
    check_samplers,
    check_scored_fields,
    empty_data,
)
from .checked_collate import CheckedCollate
from .hooks import check_hooks, check_switched_pipeline
from .labels import (
    check_class_folders,
    check_concatenated,
    check_evaluated_classes,
    check_labels,
    check_num_classes,
    classification_heads,
)


def check_run(runner: Runner) -> None:
    """The data, the model and the hooks of a training fit each other.

    From here on the labels of every batch are checked while it is loaded. A second call does
    nothing.

    Raises:
        ValueError: Something does not fit; the message names it and the cure.

    When:
        Every training starts.
    """
    check_hooks(runner)
    if _loop(runner, 'train') is None:
        return  # MMEngine's error follows
    check_switched_pipeline(runner)
    loader = runner.train_dataloader
    if isinstance(getattr(loader, 'collate_fn', None), CheckedCollate):
        return
    check_samplers(runner)
    check_iterations(loader)
    check_replicas(loader)
    model = unwrapped(runner.model)
    check_pretrained(model)
    heads = classification_heads(model)
    check_concatenated(loader.dataset)
    check_class_folders(loader.dataset, 'train_dataloader')
    check_num_classes(heads, loader.dataset)
    check_labels(heads, loader.dataset)
    if (loop := _loop(runner, 'validation')) is not None:
        check_evaluation_data(loop.dataloader, 'val_dataloader')
        check_scored_fields(loop.evaluator, loop.dataloader.dataset)
        data, trained = loop.dataloader.dataset, getattr(loader.dataset, 'metainfo', None)
        check_evaluated_classes(heads, loop.evaluator, data, 'validation', trained)
    check_batch_norm(model, loader)
    loader.collate_fn = CheckedCollate(loader.collate_fn, heads)


def check_evaluation(runner: Runner, role: str) -> None:
    """The data of a test or a validation fit the model, and each image is evaluated once.

    Args:
        runner: Before it.
        role: ``'test'`` or ``'validation'``.

    Raises:
        ValueError: Data and model do not fit; the message names what does not, and the cure.

    When:
        Every test, and every validation by itself (``Runner.val``), starts.
    """
    if (loop := _loop(runner, role)) is None:
        return  # MMEngine's error follows
    check_evaluation_data(
        loop.dataloader, 'val_dataloader' if role != 'test' else 'test_dataloader'
    )
    check_scored_fields(loop.evaluator, loop.dataloader.dataset)
    heads = classification_heads(unwrapped(runner.model))
    check_evaluated_classes(heads, loop.evaluator, loop.dataloader.dataset, role)


def check_trained_classes(runner: Runner, role: str, checkpoint: dict, name: str) -> None:
    """The data of a test or a validation number their classes as the checkpoint's training did.

    Args:
        runner: Of a test or a validation by itself.
        role: ``'test'`` or ``'validation'``.
        checkpoint: Its content, in which MMEngine keeps the ``metainfo`` of the training set.
        name: Of its file.

    Raises:
        ValueError: The data number their classes otherwise. As many classes of which none has the
            same name may be the same under other names: they get a warning.

    When:
        A test, or a validation by itself, reads its checkpoint.
    """
    trained = (checkpoint.get('meta') or {}).get('dataset_meta') or {}
    loop = _loop(runner, role)
    if loop is None or not trained.get('classes'):
        return
    dataset = loop.dataloader.dataset
    classes = (getattr(dataset, 'metainfo', None) or {}).get('classes') or ()
    if len(classes) == len(trained['classes']) and not set(classes) & set(trained['classes']):
        runner.logger.warning(
            f'{name} was trained with the classes {list(trained["classes"][:3])} ..., the {role} '
            f'data have {list(classes[:3])} ...: they must have the same order'
        )
        return
    heads = classification_heads(unwrapped(runner.model))
    check_evaluated_classes(heads, loop.evaluator, dataset, role, trained)


def _loop(runner: Runner, role: str) -> BaseLoop | None:
    """The loop of a role, built from the config if it is not yet; None if there is none.

    Args:
        runner: The runner.
        role: ``'train'``, ``'validation'`` or ``'test'``.

    Raises:
        ValueError: Its data set is empty.
    """
    part = 'val' if role == 'validation' else role
    try:
        return getattr(runner, f'{part}_loop')
    except ValueError as error:
        if 'need at least one array to concatenate' not in str(error):
            raise
        # That is what numpy tells mmengine's BaseDataset of an empty list.
        loader = f'{part}_dataloader'
        kind = runner.cfg[loader].dataset.type
        raise ValueError(empty_data(loader, getattr(kind, '__name__', kind))) from error
