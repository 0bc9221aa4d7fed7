"""The state of the best round so far, to which a search can go back.

Every process keeps it: after the hand-over all of them have the winner's state anyway. So going
back needs no communication.
"""

from __future__ import annotations

import math
from typing import Any

from mmengine.runner import Runner

from amlfs_mm.search import BestRounds, GoBackRule

from .training_state import TrainingState


class BestRoundState:
    """The rounds that a search may go back to, with the training states of their winners.

    Rounds go by their last epoch, from 1.

    Args:
        rule: When to go back.
        on_host: Keep the states in host memory.

    Attributes:
        rounds: Which rounds these are.
        states: Epoch -> training state of the round's winner, as the hand-over left it.
    """

    def __init__(self, rule: GoBackRule, on_host: bool = False) -> None:
        self.rounds = BestRounds(rule)
        self.states: dict[int, TrainingState] = {}
        self.on_host = on_host

    def note(
        self,
        runner: Runner,
        epoch: int,
        reward: float | None,
        started_from: int,
        num_scored: int,
        spread: float,
        always_goes_on: bool = False,
    ) -> dict[str, int | None]:
        """Note a round, in whose winner's state the runner is; keep that state if it may be needed.

        Args:
            runner: After the hand-over.
            epoch: The last epoch of the round, from 1.
            reward: Of the winner; None if all candidates diverged.
            started_from: The last epoch of the round whose winner this round started from.
            num_scored: How many samples of D_v a reward is the mean of.
            spread: The standard deviation of the round's rewards over its candidates.
            always_goes_on: As in a warm-up.

        Returns:
            The ``lineage`` of the round's record.
        """
        score = -math.inf if reward is None else reward
        back_to = self.rounds.note(epoch, score, num_scored, spread, always_goes_on)
        for former in set(self.states) - self.rounds.kept:
            del self.states[former]  # before the new one takes memory
        if epoch in self.rounds.kept:
            self.states[epoch] = TrainingState.capture(runner, self.on_host)
        if reward is None and back_to == started_from:
            back_to = None  # a lost round leaves the model that it started from
        return dict(started_from=started_from, went_back_to=back_to)

    def go_back(self, runner: Runner, lineage: dict[str, int | None]) -> None:
        """Put the runner into the state that :meth:`note` decided for; its time goes on."""
        epoch = lineage['went_back_to']
        if epoch is not None:
            self.states[epoch].restore_learned(runner)

    def content(self, present: int) -> dict[str, Any]:
        """What a checkpoint holds, so that a resume is exact.

        Args:
            present: The epoch of the round whose winner's state the checkpoint holds anyway.
        """
        states = {
            epoch: None if epoch == present else state.unpack()
            for epoch, state in self.states.items()
        }
        return dict(rounds=self.rounds.state_dict(), states=states)

    def load(self, content: dict[str, Any], runner: Runner) -> None:
        """Go on from what :meth:`content` gave. The runner has loaded the checkpoint.

        Raises:
            ValueError: The search of the checkpoint goes back by another rule.
        """
        self.rounds.load_state_dict(content['rounds'])
        self.states = {
            epoch: TrainingState.capture(runner, self.on_host)
            if state is None
            else TrainingState.pack(state, self.on_host)
            for epoch, state in content['states'].items()
        }
