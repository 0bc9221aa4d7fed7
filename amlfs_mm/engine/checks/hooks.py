"""Which hooks can work together."""

from __future__ import annotations

from typing import Any

from mmengine.runner import Runner

from ..search_schedule import SearchSchedule
from ..switched_pipelines import epochs_of_switches


def check_hooks(runner: Runner) -> None:
    """One hook at most decides the loss: one LossSearchHook, or one LossReplayHook.

    Raises:
        ValueError: Several hooks decide the loss.

    When:
        Every training starts.
    """
    found = [type(hook).__name__ for hook in runner.hooks if getattr(hook, 'decides_loss', False)]
    if len(found) > 1:
        raise ValueError(
            f'custom_hooks has {" and ".join(found)}, but only one hook can decide the loss of a '
            'run: keep one of them'
        )


def check_switched_pipeline(runner: Runner) -> None:
    """Training data whose pipeline a hook changes later are loaded one by one.

    Raises:
        ValueError: There are ``InMemoryImages``, which have gone through their only pipeline, and
            mmpretrain's ``SwitchRecipeHook`` with a ``train_pipeline``.

    When:
        Every training starts.
    """
    epochs = epochs_of_switches(runner.hooks)
    if epochs and holds_images_in_memory(runner.train_dataloader.dataset):
        raise ValueError(
            f'SwitchRecipeHook gives the training data another pipeline at epoch {epochs[0]}, but '
            'images in memory (InMemoryImages) have gone through theirs: put the data set itself '
            'in the place of InMemoryImages, and set in_memory_gib=0'
        )


def holds_images_in_memory(dataset: Any) -> bool:
    """Whether a data set, or one that it is made of, is ``InMemoryImages``."""
    from amlfs_mm.datasets import InMemoryImages  # mmpretrain: only when there is a run

    inner = getattr(dataset, 'dataset', None)
    parts = [*getattr(dataset, 'datasets', []), *([] if inner is None else [inner])]
    return isinstance(dataset, InMemoryImages) or any(map(holds_images_in_memory, parts))


def check_switched_rounds(runner: Runner, schedule: SearchSchedule) -> None:
    """All candidates of a round train through the same pipelines.

    Raises:
        ValueError: ``SwitchRecipeHook`` changes the pipeline within a round. The next candidate
            would start the round with the changed one.

    When:
        A search starts.
    """
    starts = schedule.starts_of_rounds()
    epochs = range(1, schedule.max_epochs + 1)
    late = [n for n in epochs_of_switches(runner.hooks) if n in epochs and n - 1 not in starts]
    if late:
        raise ValueError(
            f'SwitchRecipeHook changes the pipeline at epoch {late[0]}, within a round of the '
            f'search: with search_every={schedule.search_every} rounds begin at the epochs '
            f'{[start + 1 for start in starts][:5]} ...: take one of them as action_epoch'
        )
