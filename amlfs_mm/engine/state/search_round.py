"""One pass of Algorithm 1 as a sub-runner holds it; what a stopped job leaves of it on disk."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import Tensor

from amlfs_mm.utils.atomic_files import atomic_write
from amlfs_mm.utils.randomness import random_state, set_random_state

from ..distributed.population import Population
from .training_state import TrainingState


class SearchRound:
    """The start of a round, the rewards so far, the best state so far, the candidate at work.

    Args:
        runner: At the start of the round.
        epochs: The epochs, from 0, that each candidate trains.
        theta: (B, D), the candidates.
        on_host: Keep captured states in host memory.
    """

    def __init__(self, runner: Runner, epochs: range, theta: Tensor, on_host: bool = False) -> None:
        self.epochs = epochs
        self.theta = theta
        self.on_host = on_host
        self.start: TrainingState | None = TrainingState.capture(runner, on_host)
        self.rewards: dict[int, float] = {}
        self.best: TrainingState | None = None
        self.best_reward = -math.inf
        self.candidate: int | None = None
        self.iteration = 0
        self._begun: dict[int, dict] = {}  # candidates that a stopped job left in the middle

    def remaining(self, candidates: list[int]) -> Iterator[int]:
        """Those of the candidates that have no reward yet, each made the one at work."""
        for candidate in candidates:
            if candidate not in self.rewards:
                self.candidate = candidate
                yield candidate
        self.candidate = None

    def remaining_epochs(self) -> Iterator[int]:
        """The epochs that the candidate at work has still to train."""
        first = self._begun.get(self.candidate, {}).get('epoch', self.epochs.start)
        yield from range(first, self.epochs.stop)

    def begin_epoch(self, runner: Runner, epoch: int) -> int:
        """Put the runner where the candidate's epoch begins.

        A round starts from the common state; an epoch that a stopped job left in the middle goes
        on there, with its random numbers.

        Returns:
            The iterations of the epoch that are already done.
        """
        self.finite = torch.ones((), dtype=torch.bool)
        self.iteration = 0
        begun = self._begun.pop(self.candidate, None)
        if begun is not None:
            TrainingState.pack(begun['state']).restore(runner)
            set_random_state(begun['random'])
            self.finite = begun['finite']
            self.iteration = begun['iteration']
        elif epoch == self.epochs.start:
            self.start.restore(runner)
        runner.train_loop._epoch = epoch
        return self.iteration

    def note_loss(self, loss: Tensor) -> None:
        """Count an iteration, note whether its loss is finite, without waiting for the device."""
        self.iteration += 1
        finite = torch.isfinite(loss.detach()).all()
        self.finite = finite & self.finite.to(finite.device)

    def add(self, reward: float, runner: Runner) -> None:
        """Note the reward of the candidate at work, and keep its state if it is the best so far."""
        self.rewards[self.candidate] = reward
        if reward > self.best_reward:
            self.best_reward, self.best = reward, None  # one copy at a time
            self.best = TrainingState.capture(runner, self.on_host)
        self.candidate = None

    # On disk --------------------------------------------------------------------------------------

    def save(self, runner: Runner, directory: Path, population: Population) -> None:
        """Write what this process has of the round: a file for each of its candidates.

        A rewarded candidate's state is written only if it is the sub-runner's best; the one at
        work goes with its iteration and random numbers.
        """
        directory.mkdir(parents=True, exist_ok=True)
        finished = {c: dict(reward=reward) for c, reward in self.rewards.items()}
        if self.best is not None:
            holder = max(finished, key=lambda c: _rank(finished[c]['reward'], c))
            finished[holder]['state'] = self.best.unpack()
        at_work = {}
        if self.candidate is not None:
            at_work[self.candidate] = dict(
                state=TrainingState.capture(runner, self.on_host).unpack(),
                epoch=runner.epoch,
                iteration=self.iteration,
                finite=self.finite.cpu(),
                random=random_state(),
            )
        for candidate, content in {**finished, **at_work, **self._begun}.items():
            if candidate % population.num_sub_runners != population.sub_runner:
                continue  # a spare sub-runner repeats it; its owner writes
            content |= dict(theta=self.theta[candidate], replicas=population.replicas)
            name = _file(self.epochs.start, candidate, population.replica)
            with atomic_write(directory / name) as temporary:
                torch.save(content, temporary)

    def pick_up(self, directory: Path, population: Population) -> list[int]:
        """Take over from disk what a stopped job, of any number of processes, had of this round.

        Returns:
            This sub-runner's candidates that need not be trained from the start.
        """
        left = self._read(directory, population)
        finished = {c: content['reward'] for c, content in left.items() if 'reward' in content}
        with_state = [c for c in finished if 'state' in left[c]]
        mine = population.my_candidates(len(self.theta))
        for candidate in [c for c in mine if c in left]:
            if candidate not in finished:
                self._begun[candidate] = left[candidate]
                continue
            reward = finished[candidate]
            rank = _rank(reward, candidate)
            # Without its state it may only lose: to another whose state is there.
            loses = any(_rank(finished[c], c) > rank for c in with_state)
            if not (candidate in with_state or loses or math.isnan(reward)):
                continue
            self.rewards[candidate] = reward
            if candidate in with_state and reward > self.best_reward:
                self.best_reward = reward
                self.best = TrainingState.pack(left[candidate]['state'], self.on_host)
        return sorted(set(mine) & (set(self.rewards) | set(self._begun)))

    def _read(self, directory: Path, population: Population) -> dict[int, dict]:
        """The whole, matching files of this replica; a candidate only if all replicas have it."""
        left = {}
        for candidate in range(len(self.theta)):
            parts = [
                _load(directory / _file(self.epochs.start, candidate, replica))
                for replica in range(population.replicas)
            ]
            fits = all(
                part is not None
                and part['replicas'] == population.replicas
                and torch.equal(part['theta'], self.theta[candidate])
                and part.get('iteration') == parts[0].get('iteration')
                and part.get('epoch') == parts[0].get('epoch')
                for part in parts
            )
            if fits:
                left[candidate] = parts[population.replica]
        return left


def _rank(reward: float, candidate: int) -> tuple[float, int]:
    """The arg max prefers the first of equals."""
    return (-math.inf if math.isnan(reward) else reward), -candidate


def _file(first_epoch: int, candidate: int, replica: int) -> str:
    return f'round_{first_epoch}_candidate_{candidate}_replica_{replica}.pth'


def _load(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        return torch.load(path, map_location='cpu', weights_only=True, mmap=True)
    except Exception as error:  # in any way; torch has many
        print_log(
            f'{path} is damaged ({type(error).__name__}): its candidate is trained from the start',
            'current',
            logging.WARNING,
        )
        return None
