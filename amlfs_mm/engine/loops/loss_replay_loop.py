"""The training loop of a replay: one model, with the winners' losses of a search."""

from __future__ import annotations

from collections.abc import Callable

from mmengine.hooks import ParamSchedulerHook
from mmengine.runner import EpochBasedTrainLoop

from ..runner_access import set_epoch, set_iteration
from ..state.optimizers import drop_gradients


class LossReplayLoop(EpochBasedTrainLoop):
    """MMEngine's training loop, but for the rounds of the search that left the model as it was.

    Args:
        stock: The loop that MMEngine built from the config; its loader, epochs and validation
            intervals are taken over.
        lost_round: Gives the epochs, from 0, of the lost round that an epoch is in, or None. All
            candidates diverged there.
        is_undone: Whether the search went back behind an epoch, from 0.
        unreadable: As in :class:`SearchOptions`.
    """

    def __init__(
        self,
        stock: EpochBasedTrainLoop,
        lost_round: Callable[[int], range | None],
        is_undone: Callable[[int], bool],
        unreadable: str,
    ) -> None:
        from amlfs_mm.datasets import make_reproducible  # mmpretrain: only when there is a run

        loader = make_reproducible(stock.dataloader, stock.runner.seed, unreadable)
        super().__init__(
            stock.runner, loader, stock.max_epochs, stock.val_begin, stock.val_interval
        )
        self.dynamic_milestones = stock.dynamic_milestones
        self.dynamic_intervals = stock.dynamic_intervals
        self.lost_round = lost_round
        self.is_undone = is_undone

    def run_epoch(self) -> None:
        """Train an epoch; pass over what left no trace in the search's model."""
        lost_round = self.lost_round(self.epoch)
        if lost_round is not None:
            self._pass_over_lost_round(lost_round)
        elif self.is_undone(self.epoch):
            self._pass_over_epoch()
        else:
            super().run_epoch()

    def _pass_over_lost_round(self, lost_round: range) -> None:
        # No iteration, and one step of the schedules by epoch. Hooks that give the data another
        # pipeline do so before their epoch, wherever in the round it is.
        for epoch in lost_round:
            set_epoch(self, epoch)
            self.runner.call_hook('before_train_epoch')
        self.runner.call_hook('after_train_epoch')
        set_epoch(self, lost_round.stop)

    def _pass_over_epoch(self) -> None:
        # The time of an epoch: its iterations and the steps of all schedules, without training.
        runner = self.runner
        runner.call_hook('before_train_epoch')
        for index in range(len(self.dataloader)):
            for hook in runner.hooks:
                if isinstance(hook, ParamSchedulerHook):
                    hook.after_train_iter(runner, index)
            set_iteration(self, self.iter + 1)
        drop_gradients(runner)
        runner.call_hook('after_train_epoch')
        set_epoch(self, self.epoch + 1)

    @property
    def candidate_epochs(self) -> int:
        """Models trained for an epoch; what is passed over trains none."""
        return sum(
            self.lost_round(epoch) is None and not self.is_undone(epoch)
            for epoch in range(self.max_epochs)
        )
