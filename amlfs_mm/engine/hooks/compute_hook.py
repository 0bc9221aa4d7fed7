"""The compute that a run used, so that runs can be compared at equal compute."""

from __future__ import annotations

import json
from pathlib import Path

from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from amlfs_mm.registry import HOOKS
from amlfs_mm.utils.atomic_files import atomic_write

from ..history.compute import compute_of


@HOOKS.register_module()
class ComputeHook(Hook):
    """Logs what a run paid for and writes it to ``compute.json`` in its work dir, at the end.

    A plain run trains one model an epoch. A hook with ``candidate_epochs`` (a search, a replay)
    knows better. :func:`compute_of` describes the numbers. Loops that count iterations have no
    epochs to count: nothing is written.
    """

    def after_train(self, runner: Runner) -> None:
        """Count, tell, write."""
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return
        population = getattr(runner, 'population', None)
        if not (is_main_process() if population is None else population.is_main):
            return
        counting = [hook for hook in runner.hooks if hasattr(hook, 'candidate_epochs')]
        epochs = counting[0].candidate_epochs if counting else runner.epoch
        compute = compute_of(runner, epochs, get_world_size())
        runner.logger.info(
            f'Compute: {compute["candidate_epochs"]} candidate-epochs of '
            f'{compute["images_per_epoch"]} images, {compute["images"]} in all'
        )
        directory = Path(getattr(runner, 'search_dir', runner.work_dir))
        with atomic_write(directory / 'compute.json') as temporary:
            temporary.write_text(json.dumps(compute) + '\n')
