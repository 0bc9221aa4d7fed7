"""The compute that a run used, so that runs can be compared at equal compute."""

from __future__ import annotations

import json
from pathlib import Path

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from amlfs_mm.registry import HOOKS
from amlfs_mm.utils.text_files import write_text

from ..distributed.population import population_of
from ..history.compute import compute_of
from ..loops.loss_replay_loop import LossReplayLoop
from ..loops.loss_search_loop import LossSearchLoop
from ..runner_access import job_directory


@HOOKS.register_module()
class ComputeHook(Hook):
    """Logs at the end how much a run computed, and writes it to ``compute.json`` in its work dir.

    A plain run trains one model an epoch. The loops of a search and of a replay count by
    themselves. :func:`compute_of` describes the numbers. A loop that counts iterations has no
    epochs: nothing is written. It comes last, since ``compute.json`` says that a run is finished.
    """

    priority = 'LOWEST'

    def after_train(self, runner: Runner) -> None:
        """Count, log and write."""
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return
        if not population_of(runner).is_main:
            return
        loop = runner.train_loop
        counts = isinstance(loop, (LossSearchLoop, LossReplayLoop))
        epochs = loop.candidate_epochs if counts else runner.epoch
        compute = compute_of(runner, epochs, get_world_size())
        runner.logger.info(
            f'Compute: {compute["candidate_epochs"]} candidate-epochs of '
            f'{compute["images_per_epoch"]} images, {compute["images"]} in all'
        )
        write_text(Path(job_directory(runner)) / 'compute.json', json.dumps(compute) + '\n')
