"""The control of a search: the model that the same run gives without a search.

The control is the last of a round's B candidates. It trains the start loss mu_0 from its own state
of the round before. So all its rounds together are one plain training run, with the data order of
candidate B - 1. It begins with the first round of the search, after the warm-up, from the common
start. A round in which it diverges leaves its state as it was before that round.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.runner import Runner

from ..distributed.population import Population
from .broadcast import broadcast_state
from .training_state import TrainingState


class ControlLineage:
    """The control's training state, from round to round.

    Two sub-runners hold it: the one that trains the control, and sub-runner 0, which saves it.

    Attributes:
        state: At the start of the round. None before the first round of the search, and in the
            sub-runners that do not need it.
        trained: At the end of the round, in the sub-runner that trains the control.
    """

    def __init__(self) -> None:
        self.state: TrainingState | None = None
        self.trained: TrainingState | None = None

    def begin(self, runner: Runner, on_host: bool) -> None:
        """Start from the runner's present state, which is the same in all sub-runners."""
        self.state = TrainingState.capture(runner, on_host)

    def hand_over(self, candidate: int, population: Population) -> None:
        """Let sub-runner 0 have what the owner of the candidate, the control, has trained."""
        source = candidate % population.num_sub_runners
        trained = self.trained if population.sub_runner == source else None
        into = None if trained is not None else self.state
        self.state = self.trained = None
        state = broadcast_state(population, trained, source, into)
        if population.sub_runner in (0, source):
            self.state = state

    @contextmanager
    def installed(self, runner: Runner) -> Iterator[None]:
        """While this lasts, the runner is in the control's state."""
        assert self.state is not None
        present = TrainingState.capture(runner, self.state.on_host)
        self.state.restore(runner)
        yield
        present.restore(runner)

    def save(self, runner: Runner, directory: str, filename: str) -> None:
        """Write the control's model as a checkpoint. The runner's state stays as it is."""
        with self.installed(runner):
            save_model(runner, directory, filename)

    def content(self) -> Any:
        """What a checkpoint holds of it, so that a resume is exact."""
        return None if self.state is None else self.state.unpack()

    def load(self, content: Any, on_host: bool) -> None:
        """Go on from what :meth:`content` gave."""
        self.state = None if content is None else TrainingState.pack(content, on_host)


def save_model(runner: Runner, directory: str, filename: str) -> None:
    """Write the runner's present model, without what only a resume needs."""
    runner.save_checkpoint(
        directory,
        filename,
        save_optimizer=False,
        save_param_scheduler=False,
        meta=dict(epoch=runner.epoch, iter=runner.iter),
    )
