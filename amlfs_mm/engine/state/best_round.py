"""The state of the best round so far, to which a search can go back.

Every process keeps it: after the hand-over all of them have the winner's state anyway. So going
back needs no communication.
"""

from __future__ import annotations

from typing import Any

from mmengine.runner import Runner

from amlfs_mm.search import BestRounds, GoBackRule

from .training_state import TrainingState


class BestRoundState:
    """The rounds that a search may go back to, with the training states of their winners.

    Rounds go by their last epoch, from 1.

    Attributes:
        rounds: Which rounds these are, and when to go back.
        states: Epoch -> training state of the round's winner, as the hand-over left it.
    """

    def __init__(self, rule: GoBackRule) -> None:
        self.rounds = BestRounds(rule)
        self.states: dict[int, TrainingState] = {}

    @property
    def num_states(self) -> int:
        """How many states there are at a time."""
        return 1 if self.rounds.rule.max_returns is None else 2

    def note(
        self,
        runner: Runner,
        epoch: int,
        reward: float,
        on_host: bool,
        always_goes_on: bool = False,
    ) -> int | None:
        """Note a round, in whose winner's state the runner is; keep that state if it may be needed.

        Args:
            runner: After the hand-over.
            epoch: The last epoch of the round, from 1.
            reward: Of the winner; minus infinity if all candidates diverged.
            on_host: Keep the state in host memory.
            always_goes_on: As in a warm-up.

        Returns:
            The epoch of the round to go back to; None to go on from this one.
        """
        num_scored = len(runner.val_dataloader.dataset)
        back_to = self.rounds.note(epoch, reward, num_scored, always_goes_on)
        for former in set(self.states) - self.rounds.kept:
            del self.states[former]  # before the new one takes memory
        if epoch in self.rounds.kept:
            self.states[epoch] = TrainingState.capture(runner, on_host)
        return back_to

    def go_back(self, runner: Runner, epoch: int) -> None:
        """Put the runner into the state of the winner of that epoch; its time goes on."""
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

    def load(self, content: dict[str, Any], runner: Runner, on_host: bool) -> None:
        """Go on from what :meth:`content` gave. The runner has loaded the checkpoint.

        Raises:
            ValueError: The search of the checkpoint goes back by another rule.
        """
        self.rounds.load_state_dict(content['rounds'])
        self.states = {
            epoch: TrainingState.capture(runner, on_host)
            if state is None
            else TrainingState.pack(state, on_host)
            for epoch, state in content['states'].items()
        }
