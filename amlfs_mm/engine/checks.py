"""Errors at the start of a search: each names the value and what would be right."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import nn

from .search_schedule import SearchSchedule
from .searched_heads import SearchedHead, find_heads, unwrapped


def check_search(runner: Runner, schedule: SearchSchedule) -> None:
    """All that must hold before a search starts.

    Raises:
        ValueError: Something does not hold; the message names it and the cure.
    """
    check_validation(runner)
    check_hard_labels(runner.model)
    check_num_classes(find_heads(runner.model), runner.train_dataloader.dataset)
    check_held_out(runner.train_dataloader.dataset, runner.val_dataloader.dataset)
    schedule.check()
    check_checkpoints(runner, schedule.search_every)


def check_epochs(runner: Runner) -> None:
    """The training loop is MMEngine's epoch-based one: a loss lasts for an epoch.

    Raises:
        ValueError: The loop counts iterations, or is one of another package.
    """
    if type(runner.train_loop) is not EpochBasedTrainLoop:
        raise ValueError(
            f'a loss search needs EpochBasedTrainLoop, the epoch-based loop of MMEngine, got '
            f'{type(runner.train_loop).__name__}: set train_cfg=dict(by_epoch=True, max_epochs=...)'
        )


def check_validation(runner: Runner) -> None:
    """The search scores on validation data.

    Raises:
        ValueError: There is none.
    """
    if runner.val_loop is None:
        raise ValueError(
            'a loss search scores candidates on held-out data (D_v): the config needs '
            'val_dataloader, val_cfg and val_evaluator'
        )


def check_checkpoints(runner: Runner, search_every: int) -> None:
    """Checkpoints hold winners, and one is always whole.

    Raises:
        ValueError: They are saved by iteration, or between the rounds' ends, or the last is removed
            before the next is there.
    """
    for hook in runner.hooks:
        if not isinstance(hook, CheckpointHook):
            continue
        if not hook.by_epoch:
            raise ValueError(
                'default_hooks.checkpoint.by_epoch=False would save candidates in the middle of '
                'their epoch: leave it True'
            )
        if search_every > 1 and hook.interval != 1:
            raise ValueError(
                f'default_hooks.checkpoint.interval={hook.interval} with search_every='
                f'{search_every}: set it to 1, which saves at the end of each round'
            )
        if hook.max_keep_ckpts == 1:
            raise ValueError(
                'default_hooks.checkpoint.max_keep_ckpts=1 removes the only checkpoint before the '
                'next one is whole: set it to 2 or more'
            )


def check_hard_labels(model: nn.Module) -> None:
    """The target's cosine needs one class a sample.

    Raises:
        ValueError: The model mixes labels (Mixup, CutMix, any batch augmentation of mmpretrain).
    """
    augments = getattr(getattr(unwrapped(model), 'data_preprocessor', None), 'batch_augments', None)
    if augments is not None:
        names = [type(augment).__name__ for augment in getattr(augments, 'augments', [augments])]
        raise ValueError(
            f'a loss search needs one class a sample, but the model mixes labels with {names}: '
            'remove model.train_cfg.augments'
        )


def check_held_out(trained: object, validation: object) -> None:
    """No image file of the validation data (D_v) is trained on.

    Datasets whose items have no ``img_path`` cannot be told apart and pass.

    Raises:
        ValueError: Some are: rewards would be scores on training data.
    """
    paths = _image_paths(validation)
    shared = sorted(paths & _image_paths(trained)) if paths else []
    if shared:
        raise ValueError(
            f'{len(shared)} of the {len(paths)} images of the validation data (D_v) are also '
            f'trained on, such as {shared[0]}: rewards would be training scores. Hold them out of '
            'train_dataloader.dataset; where both split one source, give both the same split (for '
            'amlfs_mm.ReIDDataset: held_out and split_seed)'
        )


def _image_paths(dataset: Any) -> set[str]:
    if not hasattr(dataset, 'get_data_info') or 'img_path' not in dataset.get_data_info(0):
        return set()
    return {dataset.get_data_info(index)['img_path'] for index in range(len(dataset))}


def check_reward(metrics: dict, reward: str) -> None:
    """The evaluator produces the reward.

    Raises:
        ValueError: It does not; the message names those it does.
    """
    if reward not in metrics:
        raise ValueError(
            f'the evaluator does not produce the reward {reward!r}; it produces {sorted(metrics)}. '
            "Set the hook's reward to one of them, or change val_evaluator"
        )


def check_resumed(saved: dict | None, search_space: object) -> None:
    """The checkpoint continues a search in this space.

    Raises:
        ValueError: It was not written by a search, or by one in another space.
    """
    if saved is None:
        raise ValueError(
            "the checkpoint to resume has no 'loss_search' state: no search wrote it. To start a "
            'search from its weights give it as load_from, without --resume'
        )
    if saved['search_space'] != repr(search_space):
        raise ValueError(
            f'the checkpoint to resume searched in {saved["search_space"]}, the config in '
            f"{search_space!r}: set the head's num_intervals to the checkpoint's"
        )


def check_num_classes(heads: list[SearchedHead], dataset: object) -> None:
    """Every class of the training set has an output.

    Raises:
        ValueError: A head has fewer classes than the data.
    """
    classes = (getattr(dataset, 'metainfo', None) or {}).get('classes') or ()
    for head in heads:
        if len(classes) > head.num_classes:
            raise ValueError(
                f'the training set has {len(classes)} classes, the head num_classes='
                f'{head.num_classes}: set model.head.num_classes={len(classes)}'
            )
