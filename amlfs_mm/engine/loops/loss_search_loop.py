"""Algorithm 1 of the paper as an MMEngine training loop."""

from __future__ import annotations

import math
from typing import cast

import torch
from mmengine.hooks import Hook, IterTimerHook, ParamSchedulerHook
from mmengine.runner import EpochBasedTrainLoop
from torch import Tensor, nn

from ..distributed.population import everyone_agrees
from ..runner_access import only_hooks, set_epoch, validate_if_due
from ..state.search_round import SearchRound
from ..state.training_state import synchronise_replicas
from .search_steps import SearchSteps


class LossSearchLoop(EpochBasedTrainLoop):
    """Trains the model and searches its loss at the same time (section 3.4 of the paper).

    A round is one pass of Algorithm 1's loop. It takes ``search_every`` epochs, by default one.

    The loop takes the place of MMEngine's own in a runner that has a :class:`LossSearchHook`. Of
    the runner's hooks, those before the search's by priority (buffers, EMA, sampler seeds) act on
    every candidate's epochs and evaluation. Those after it (logger, schedulers by epoch,
    checkpoints) act once a round, on the winner. All hooks act on every iteration.

    Args:
        stock: The loop that MMEngine built from the config; its loader, epochs and validation
            intervals are taken over.
        search: The hook that holds the options and coordinates the sub-runners.
    """

    def __init__(self, stock: EpochBasedTrainLoop, search: SearchSteps) -> None:
        from amlfs_mm.datasets import make_reproducible  # mmpretrain: only when there is a run

        loader = make_reproducible(
            stock.dataloader,
            stock.runner.seed,
            search.options.unreadable,
            search.options.batch_cache_gib,
        )
        super().__init__(
            stock.runner, loader, stock.max_epochs, stock.val_begin, stock.val_interval
        )
        self.dynamic_milestones = stock.dynamic_milestones
        self.dynamic_intervals = stock.dynamic_intervals
        self.search = search
        self.round: SearchRound | None = None

    def run(self) -> nn.Module:
        """Algorithm 1, from the first round to the last."""
        search = self.search
        self.runner.call_hook('before_train')
        while self.epoch < self.max_epochs and not self.stop_training:
            # Sample B hyper-parameters theta_1 ... theta_B around mu (Eq. 19): PolicySteps.sample,
            # then GaussianPolicy.sample.
            theta = search.sample(self.epoch)

            # Train the model M_w separately with each, and score it on D_v: R(theta_i).
            self.round = self.begin_round(theta)
            for candidate in self.round.remaining(search.my_candidates(theta)):
                for epoch in self.round.remaining_epochs():
                    search.install(self.round, epoch, candidate)
                    self.train_epoch()
                self.finish_candidate(self.score())
            reward = search.exchange_rewards(self.round)

            # Decide the winner.
            winner = arg_max(reward)

            # Update mu (Eq. 20): PolicySteps.update, then GaussianPolicy.update.
            advantage = search.update_policy(self.round, reward)

            # The winner's model is everybody's M_w in the next round.
            search.hand_over(self.round, winner)
            search.record(self.round, reward, advantage, winner)

            # Not in the paper, an option: M_w is the best round's if this round is behind it.
            search.go_back()
            self.finish_round()
        self.runner.call_hook('after_train')
        return self.runner.model

    def begin_round(self, theta: Tensor) -> SearchRound:
        """Remember the start, from which every candidate (B, D) will train."""
        for hook in self.hooks_of_rounds:
            hook.before_train_epoch(self.runner)
        return self.search.begin_round(theta)

    def train_epoch(self) -> None:
        """One epoch of one candidate."""
        runner = self.runner
        for hook in self.hooks_of_candidates:
            hook.before_train_epoch(runner)
        runner.model.train()
        for index, batch in enumerate(self.dataloader):
            self.run_iter(index, batch)
        for hook in self.hooks_of_candidates:
            hook.after_train_epoch(runner)
        assert self.round is not None
        if self.epoch + 1 < self.round.epochs.stop:
            # Within a round every candidate follows the schedules by epoch; after it, the winner.
            self.step_schedules()

    def step_schedules(self) -> None:
        """Step the schedules by epoch."""
        for hook in self.hooks_of_rounds:
            if isinstance(hook, ParamSchedulerHook):
                hook.after_train_epoch(self.runner)

    def score(self) -> float:
        """The reward of the model as it stands; NaN if it, a loss or a weight is not finite."""
        # What is scored, handed over and saved is then the same model.
        synchronise_replicas(self.runner)
        weights = torch.stack([torch.isfinite(p).all() for p in self.runner.model.parameters()])
        assert self.round is not None
        if not everyone_agrees(bool(self.round.finite) and bool(weights.all())):
            return math.nan
        reward = float(self.evaluate()[self.search.options.reward])
        return reward if math.isfinite(reward) else math.nan

    def evaluate(self) -> dict[str, float]:
        """All metrics of the model on D_v."""
        hooks = [h for h in self.hooks_of_candidates if not isinstance(h, IterTimerHook)]
        # No logger shows the times.
        with only_hooks(self.runner, [*hooks, self.search]):
            return self.runner.val_loop.run()

    def finish_candidate(self, reward: float) -> None:
        """Note the reward of the candidate that has been trained, and its state if it may last."""
        assert self.round is not None
        assert self.round.candidate is not None
        if self.round.is_control(self.round.candidate):
            if math.isnan(reward):
                self.round.start_of(self.round.candidate).restore(self.runner)
            # It goes on from here in the next round, without the winner's steps after a round.
            self.step_schedules()
        self.round.add_reward(reward, self.runner)

    def finish_round(self) -> None:
        """What MMEngine does after an epoch: schedules, checkpoints, validation."""
        assert self.round is not None
        set_epoch(self, self.round.epochs.stop - 1)
        for hook in self.hooks_of_rounds:
            hook.after_train_epoch(self.runner)
        set_epoch(self, self.round.epochs.stop)
        validate_if_due(self)

    @property
    def candidate_epochs(self) -> int:
        """Models trained for an epoch so far, those of warm-up and of lost rounds counted."""
        return self.search.history.candidate_epochs()

    @property
    def hooks_of_candidates(self) -> list[Hook]:
        """The hooks that act on every candidate's epochs."""
        hooks = self.runner.hooks
        return hooks[: hooks.index(cast(Hook, self.search))]

    @property
    def hooks_of_rounds(self) -> list[Hook]:
        """The hooks that act once a round."""
        hooks = self.runner.hooks
        return hooks[hooks.index(cast(Hook, self.search)) + 1 :]


def arg_max(reward: Tensor) -> int | None:
    """The candidate with the highest reward (B,), the first of equals; None if all are NaN."""
    survivors = [i for i in range(len(reward)) if torch.isfinite(reward[i])]
    return max(survivors, key=lambda i: reward[i].item(), default=None)
