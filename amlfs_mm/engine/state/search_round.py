"""One pass of Algorithm 1's loop, as one sub-runner holds it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from mmengine.runner import Runner
from torch import Tensor

from amlfs_mm.utils.randomness import set_random_state

from ..runner_access import set_epoch
from .control import ControlLineage
from .training_state import TrainingState


class SearchRound:
    """The start of a round, the rewards so far, and the best state so far.

    Args:
        runner: At the start of the round.
        epochs: The epochs, from 0, that each candidate trains.
        theta: (B, D), the candidates.
        control: The state from which the last candidate trains, if it is the control.
        on_host: Keep captured states in host memory.

    Attributes:
        start: The training state from which every candidate starts. None after the hand-over.
        rewards: Candidate -> reward, of the candidates that this sub-runner has scored.
        best: Of the samples scored so far, the training state of the one with the best reward.
        best_reward: Its reward.
        candidate: The candidate that is being trained.
        iteration: The iterations of its epoch that are done.
        begun: Candidate -> what a stopped job left of it in the middle of its training.
        finite: Whether all losses of the candidate were finite, a bool tensor on their device.
    """

    def __init__(
        self,
        runner: Runner,
        epochs: range,
        theta: Tensor,
        control: ControlLineage | None = None,
        on_host: bool = False,
    ) -> None:
        self.epochs = epochs
        self.theta = theta
        self.control = control
        self.on_host = on_host
        self.start: TrainingState | None = TrainingState.capture(runner, on_host)
        self.rewards: dict[int, float] = {}
        self.best: TrainingState | None = None
        self.best_reward = -math.inf
        self.candidate: int | None = None
        self.iteration = 0
        self.begun: dict[int, dict[str, Any]] = {}
        self.losses = torch.zeros(())  # the sum of the present candidate's in this round

    @property
    def samples(self) -> Tensor:
        """The candidates that the policy drew: (B, D), or (B - 1, D) beside a control."""
        return self.theta if self.control is None else self.theta[:-1]

    def is_control(self, candidate: int | None) -> bool:
        """Whether a candidate is the control, which stands behind the samples."""
        return candidate == len(self.samples)

    def remaining(self, candidates: list[int]) -> Iterator[int]:
        """The candidates that have no reward yet, one after the other."""
        for candidate in candidates:
            if candidate not in self.rewards:
                self.candidate = candidate
                yield candidate
        self.candidate = None

    def remaining_epochs(self) -> Iterator[int]:
        """The epochs that the present candidate has still to train."""
        assert self.candidate is not None
        first = self.begun.get(self.candidate, {}).get('epoch', self.epochs.start)
        yield from range(first, self.epochs.stop)

    def begin_epoch(self, runner: Runner, epoch: int) -> int:
        """Put the runner where the present candidate's epoch begins.

        The first epoch of a round starts from the common state. An epoch that a stopped job left in
        the middle goes on there, with its random numbers.

        Returns:
            The iterations of the epoch that are already done.
        """
        assert self.candidate is not None
        device = next(runner.model.parameters()).device
        self.iteration = 0
        begun = self.begun.pop(self.candidate, None)
        if begun is not None or epoch == self.epochs.start:
            self.losses = torch.zeros((), device=device)
        if begun is not None:
            TrainingState.pack(begun['state']).restore(runner)
            set_random_state(begun['random'])
            if not begun['finite']:
                self.losses.fill_(math.nan)
            self.iteration = begun['iteration']
        elif epoch == self.epochs.start:
            self.start_of(self.candidate).restore(runner)
        set_epoch(runner.train_loop, epoch)
        return self.iteration

    def start_of(self, candidate: int) -> TrainingState:
        """The state from which a candidate trains: the common one, or the control's own."""
        assert self.start is not None
        if self.control is None or not self.is_control(candidate):
            return self.start
        return self.control.state or self.start  # a spare sub-runner that repeats it has none

    @property
    def finite(self) -> Tensor:
        """Whether all losses of the present candidate were finite in this round."""
        # A sum of finite losses is finite; with another loss in it, it is not.
        return torch.isfinite(self.losses)

    def note_loss(self, loss: Tensor) -> None:
        """Count an iteration, and note whether its loss is finite, without waiting for a GPU."""
        self.iteration += 1
        loss = loss.detach()
        self.losses = self.losses.to(loss.device) + (loss.sum() if loss.ndim else loss)

    def add_reward(self, reward: float, runner: Runner) -> None:
        """Note the present candidate's reward; keep its state if the reward is the best so far."""
        assert self.candidate is not None
        self.rewards[self.candidate] = reward
        if self.control is not None and self.is_control(self.candidate):
            self.control.trained = TrainingState.capture(runner, self.on_host)
        elif reward > self.best_reward:
            self.best_reward, self.best = reward, None  # frees the memory of the former best
            self.best = TrainingState.capture(runner, self.on_host)
        self.candidate = None
