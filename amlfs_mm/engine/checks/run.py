"""What must hold before any training, with a search or without."""

from __future__ import annotations

from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner

from .batch_norm import check_batch_norm
from .batches import (
    check_evaluation_data,
    check_iterations,
    check_replicas,
    check_samplers,
    empty_data,
)
from .checked_collate import CheckedCollate
from .hooks import check_hooks
from .labels import (
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
    if _train_loop(runner) is None:
        return  # MMEngine's error follows
    loader = runner.train_dataloader
    if isinstance(getattr(loader, 'collate_fn', None), CheckedCollate):
        return
    check_samplers(runner)
    check_iterations(loader)
    check_replicas(loader)
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    heads = classification_heads(model)
    check_concatenated(loader.dataset)
    check_num_classes(heads, loader.dataset)
    check_labels(heads, loader.dataset)
    if (loop := runner.val_loop) is not None:
        check_evaluation_data(loop.dataloader, 'val_dataloader')
        data, trained = loop.dataloader.dataset, loader.dataset
        check_evaluated_classes(heads, loop.evaluator, data, 'validation', trained)
    check_batch_norm(model, loader)
    loader.collate_fn = CheckedCollate(loader.collate_fn, heads)


def check_test(runner: Runner) -> None:
    """The test data fit the model, and each image is evaluated once.

    Raises:
        ValueError: They do not; the message names what does not fit, and the cure.

    When:
        Every test starts.
    """
    if (loop := runner.test_loop) is None:
        return  # MMEngine's error follows
    check_evaluation_data(loop.dataloader, 'test_dataloader')
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    heads = classification_heads(model)
    check_evaluated_classes(heads, loop.evaluator, loop.dataloader.dataset, 'test')


def _train_loop(runner: Runner) -> BaseLoop | None:
    """The loop, built from the config if it is not yet."""
    try:
        return runner.train_loop
    except ValueError as error:
        if 'need at least one array to concatenate' not in str(error):
            raise
        # That is what numpy tells mmengine's BaseDataset of an empty list.
        kind = runner.cfg.train_dataloader.dataset.type
        raise ValueError(empty_data(getattr(kind, '__name__', kind))) from error
