"""The training loop of a replay: one model, with the winners' losses of a search."""

from __future__ import annotations

from collections.abc import Callable

from mmengine.runner import EpochBasedTrainLoop

from ..runner_access import set_epoch


class LossReplayLoop(EpochBasedTrainLoop):
    """MMEngine's training loop, but for the rounds of the search in which all candidates diverged.

    Args:
        stock: The loop that MMEngine built from the config; its loader, epochs and validation
            intervals are taken over.
        lost_round: Gives the epochs, from 0, of the lost round that an epoch is in, or None.
        unreadable: As in :class:`SearchOptions`.
    """

    def __init__(
        self,
        stock: EpochBasedTrainLoop,
        lost_round: Callable[[int], range | None],
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

    def run_epoch(self) -> None:
        """Train an epoch; pass over a lost round as the search did."""
        lost_round = self.lost_round(self.epoch)
        if lost_round is None:
            super().run_epoch()
            return
        # No iteration, and one step of the schedules by epoch.
        set_epoch(self, lost_round.stop - 1)
        self.runner.call_hook('before_train_epoch')
        self.runner.call_hook('after_train_epoch')
        set_epoch(self, lost_round.stop)

    @property
    def candidate_epochs(self) -> int:
        """Models trained for an epoch; a lost round trains none."""
        return sum(self.lost_round(epoch) is None for epoch in range(self.max_epochs))
