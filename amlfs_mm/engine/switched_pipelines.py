"""Hooks that give the training data another pipeline between two epochs."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.hooks import Hook


def epochs_of_switches(hooks: Sequence[Hook]) -> list[int]:
    """The epochs, from 1, that mmpretrain's ``SwitchRecipeHook`` begins with another pipeline."""
    from mmpretrain.engine import SwitchRecipeHook  # mmpretrain: only when there is a run

    schedules = [hook.schedule for hook in hooks if isinstance(hook, SwitchRecipeHook)]
    return sorted(
        epoch
        for schedule in schedules
        for epoch, recipe in schedule.items()
        if 'train_pipeline' in recipe
    )
