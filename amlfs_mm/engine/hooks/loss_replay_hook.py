"""Training one model with the losses that a search found: replay and transfer."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from amlfs_mm.registry import HOOKS
from amlfs_mm.search.head_options import differences
from amlfs_mm.search.zoo_files import is_zoo_name
from amlfs_mm.utils.randomness import derive_seed, seed_process

from ..checks import check_data_order, check_epochs, check_hard_labels, check_run, check_seeds
from ..distributed.population import population_of
from ..history.compute import compute_of
from ..history.loss_schedule import LossSchedule
from ..loops.loss_replay_loop import LossReplayLoop
from ..runner_access import is_in_training, is_resuming, job_directory, replace_train_loop
from ..searched_heads import find_heads
from ..state.optimizers import all_pending_gradients, clear_optimizers, set_all_gradients
from ..state.training_state import synchronise_replicas
from ..whole_batches import train_whole_batches


@HOOKS.register_module()
class LossReplayHook(Hook):
    """Trains with the winning losses of a search, epoch by epoch, without the search.

    Each round's winner started from the winner of the round before. So all winners together are one
    training run. This hook repeats that run, with each winner's loss and data order. With the same
    config and seed, on a CPU with one thread for each process, the weights are the search's bit for
    bit. This holds with warm-up, rounds of several epochs, EMA, ``hand_over='model'`` (the
    optimizer is emptied after each round) and lost rounds (they train nothing).

    Args:
        schedule: Path of the search's ``loss_schedule.json``, or ``'zoo:NAME'`` for a schedule of
            the zoo (``amlfs_mm zoo list``).
        transfer: How the losses are used.

            - None: the replay above. The run has as many epochs as the schedule. A schedule of the
              zoo or of ``amlfs_mm zoo merge`` cannot be replayed: there None means ``'stretch'``.
            - ``'stretch'``: for another data set, model or number of epochs. The losses are
              interpolated over the training (:meth:`LossSchedule.stretched`).
            - ``'hold'``: for the same. The losses are taken epoch by epoch, then the last one stays
              (:meth:`LossSchedule.held`).

            With the last two no epoch is lost, and the data order is the run's own.
        unreadable: As in :class:`LossSearchHook`.

    Raises:
        FileNotFoundError: There is no such schedule.
        ValueError: ``transfer`` is none of the three, or the file is no loss schedule.
    """

    priority = 55  # as the search's: it acts after the same hooks
    decides_loss = True  # one hook of a run at most

    def __init__(
        self, schedule: str, transfer: str | None = None, unreadable: str = 'error'
    ) -> None:
        if transfer not in (None, 'stretch', 'hold'):
            raise ValueError(f"transfer must be None, 'stretch' or 'hold', got {transfer!r}")
        self.schedule = LossSchedule.read(schedule)
        if transfer is None and (is_zoo_name(schedule) or self.schedule.is_merged):
            transfer = 'stretch'
        self.transfer = transfer
        self.unreadable = unreadable
        self._loaded: dict | None = None

    def before_run(self, runner: Runner) -> None:
        """Check that the schedule fits the run, and put the loop in place.

        For a test or a validation, alone or after the training, nothing is done.
        """
        if not is_in_training(runner) or isinstance(runner.train_loop, LossReplayLoop):
            return
        self.runner = runner
        self._check_work_dir()
        check_epochs(runner)
        check_hard_labels(runner.model)
        self.heads = find_heads(runner.model)
        check_run(runner)
        check_seeds(runner)
        check_data_order(runner.train_dataloader)
        self.population = population_of(runner)
        if self.population.num_sub_runners > 1:
            raise ValueError(
                f'a replay trains one model, but there are {self.population.num_sub_runners} '
                "sub-runners: set loss_search.replicas_per_candidate='all', or start one process"
            )
        self._check_space()
        self._warn_of_another_head()
        if self.transfer == 'stretch':
            self.theta = self.schedule.stretched(runner.max_epochs)
        elif self.transfer == 'hold':
            self.theta = self.schedule.held(runner.max_epochs)
        else:
            self._check_epochs()
        train_whole_batches(runner)
        loop = LossReplayLoop(runner.train_loop, self.lost_round, self.is_undone, self.unreadable)
        replace_train_loop(runner, loop)

    def before_train(self, runner: Runner) -> None:
        """Take over what a resume needs, and warn of what keeps the run from being a replay."""
        runner.train_dataloader.batch_sampler.reseed(runner.seed)  # a checkpoint's, in a resume
        if self.transfer is None:
            self._warn_of_differences()
        if self._loaded is not None:
            set_all_gradients(runner, self._loaded['gradients'])

    def lost_round(self, epoch: int) -> range | None:
        """The epochs, from 0, of the lost round that an epoch belongs to; None if to none."""
        if self.transfer is None and self.schedule.is_lost(epoch):
            return self.schedule.round_of(epoch)
        return None

    def is_undone(self, epoch: int) -> bool:
        """Whether the search undid this epoch, from 0: it went back to an earlier round."""
        leads = self.transfer is not None or self.schedule.leads_to_model(epoch)
        return not leads and self.lost_round(epoch) is None

    def trains(self, epoch: int) -> bool:
        """Whether the model is trained in an epoch, from 0."""
        return self.lost_round(epoch) is None and not self.is_undone(epoch)

    def before_train_epoch(self, runner: Runner) -> None:
        """Install the epoch's loss, data order and random numbers."""
        if not self.trains(runner.epoch):
            return
        theta, stream = self.loss_of(runner.epoch)
        seed_process(derive_seed(runner.seed, runner.epoch, stream, self.population.replica))
        for head in self.heads:
            head.set_theta(theta)
        runner.train_dataloader.batch_sampler.set_epoch(runner.epoch, stream)

    def after_train_epoch(self, runner: Runner) -> None:
        """At the end of a round, do to the model what the search did to the winner."""
        if self.transfer is not None:
            return
        if runner.epoch + 1 < self.schedule.round_of(runner.epoch).stop:
            return
        if self.trains(runner.epoch):
            synchronise_replicas(runner)
            if self.schedule.hand_over == 'model':
                clear_optimizers(runner)

    def loss_of(self, epoch: int) -> tuple[Tensor, int]:
        """theta (D,) of an epoch, from 0, and the stream of its data order."""
        if self.transfer is not None:
            return self.theta[epoch], 0
        return self.schedule.theta(epoch), self.schedule.epochs[epoch]['stream']

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Put what a resume needs besides mmengine's state under the key ``loss_replay``."""
        checkpoint['loss_replay'] = dict(gradients=all_pending_gradients(runner))

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """If the run resumes, keep the state for ``before_train``.

        Raises:
            ValueError: No replay wrote the checkpoint.
        """
        if is_resuming(runner):
            if 'loss_replay' not in checkpoint:
                raise ValueError(
                    "the checkpoint to resume has no 'loss_replay' state: no replay wrote it. To "
                    'start a replay from its weights give it as load_from, without --resume'
                )
            self._loaded = checkpoint['loss_replay']

    def _check_work_dir(self) -> None:
        """A replay that starts must not take the place of the search's own files."""
        schedule = Path(self.schedule.path).resolve()
        work_dir = Path(job_directory(self.runner))
        if is_resuming(self.runner) or schedule != (work_dir / 'loss_schedule.json').resolve():
            return
        raise ValueError(
            f'{work_dir} is the work dir of the search whose {schedule.name} is replayed, and the '
            'replay would replace its checkpoints: give the replay another --work-dir'
        )

    def _check_space(self) -> None:
        space = self.heads[0].search_space
        if repr(space) != self.schedule.search_space:
            raise ValueError(
                f'{self.schedule.path} is a schedule of {self.schedule.search_space}, the head has '
                f"{space!r}: set the head's num_intervals (or search_space) to the schedule's"
            )

    def _warn_of_another_head(self) -> None:
        for text in differences(self.schedule.head, self.heads[0], self.schedule.path):
            self.runner.logger.warning(text)

    def _check_epochs(self) -> None:
        epochs = self.runner.max_epochs
        if epochs != len(self.schedule):
            raise ValueError(
                f'{self.schedule.path} has {len(self.schedule)} epochs, train_cfg.max_epochs is '
                f'{epochs}: set it to {len(self.schedule)}, or LossReplayHook(transfer='
                "'stretch') or 'hold' to use the losses in another training"
            )

    def _warn_of_differences(self) -> None:
        runner, schedule, replicas = self.runner, self.schedule, self.population.replicas
        images = compute_of(runner, 1, replicas)['images_per_epoch']
        for name, value, of_schedule in (
            ('randomness.seed', runner.seed, schedule.seed),
            ('the number of replicas', replicas, schedule.replicas),
            ("torch's number of threads", torch.get_num_threads(), schedule.threads),
            ('the number of training images', images, schedule.images_per_epoch),
        ):
            if value != of_schedule:
                runner.logger.warning(
                    f"Replay: {name} is {value}, the search's was {of_schedule}. The losses are "
                    "the search's, the weights will not be"
                )
