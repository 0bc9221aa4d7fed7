"""What a stopped job leaves of its round on disk, and how the next job takes it up."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.runner import Runner

from amlfs_mm.utils.atomic_files import atomic_write
from amlfs_mm.utils.randomness import random_state

from ..distributed.population import Population
from .search_round import SearchRound
from .training_state import TrainingState


def save_round(
    search_round: SearchRound, runner: Runner, directory: Path, population: Population
) -> None:
    """Write what this process has of the round: a file for each of its candidates.

    A scored candidate's state is written only if it is the sub-runner's best, or the control. The
    candidate that is being trained goes with its state, iteration and random numbers.
    """
    directory.mkdir(parents=True, exist_ok=True)
    contents: dict[int, dict[str, Any]] = {
        candidate: dict(reward=reward) for candidate, reward in search_round.rewards.items()
    }
    if search_round.best is not None:
        samples = [c for c in contents if not search_round.is_control(c)]
        holder = max(samples, key=lambda c: _rank(contents[c]['reward'], c))
        contents[holder]['state'] = search_round.best.unpack()
    control = search_round.control
    if control is not None and control.trained is not None:
        contents[len(search_round.samples)]['state'] = control.trained.unpack()
    if search_round.candidate is not None:
        contents[search_round.candidate] = dict(
            state=TrainingState.capture(runner, search_round.on_host).unpack(),
            epoch=runner.epoch,
            iteration=search_round.iteration,
            finite=search_round.finite.cpu(),
            random=random_state(),
        )
    for candidate, content in {**contents, **search_round.begun}.items():
        if candidate % population.num_sub_runners != population.sub_runner:
            continue  # a spare sub-runner repeats this candidate; its owner writes it
        content |= dict(theta=search_round.theta[candidate], replicas=population.replicas)
        name = _file(search_round.epochs.start, candidate, population.replica)
        with atomic_write(directory / name) as temporary:
            torch.save(content, temporary)


def resume_round(search_round: SearchRound, directory: Path, population: Population) -> list[int]:
    """Take over from disk what a stopped job, of any number of processes, had of this round.

    Returns:
        This sub-runner's candidates that need not be trained from the start.
    """
    left = _read(search_round, directory, population)
    finished = {c: content['reward'] for c, content in left.items() if 'reward' in content}
    with_state = [c for c in finished if 'state' in left[c] and not search_round.is_control(c)]
    mine = population.my_candidates(len(search_round.theta))
    for candidate in [c for c in mine if c in left]:
        if candidate not in finished:
            search_round.begun[candidate] = left[candidate]
            continue
        reward = finished[candidate]
        if search_round.control is not None and search_round.is_control(candidate):
            if 'state' in left[candidate]:
                search_round.rewards[candidate] = reward
                search_round.control.trained = TrainingState.pack(
                    left[candidate]['state'], search_round.on_host
                )
            continue
        rank = _rank(reward, candidate)
        # Without its state a candidate may only lose, to another one whose state is there.
        loses = any(_rank(finished[c], c) > rank for c in with_state)
        if not (candidate in with_state or loses or math.isnan(reward)):
            continue
        search_round.rewards[candidate] = reward
        if candidate in with_state and reward > search_round.best_reward:
            search_round.best_reward = reward
            state = left[candidate]['state']
            search_round.best = TrainingState.pack(state, search_round.on_host)
    return sorted(set(mine) & (set(search_round.rewards) | set(search_round.begun)))


def _read(
    search_round: SearchRound, directory: Path, population: Population
) -> dict[int, dict[str, Any]]:
    """The whole, matching files of this replica; a candidate only if all replicas have it."""
    left = {}
    for candidate, theta in enumerate(search_round.theta):
        parts = [
            _load(directory / _file(search_round.epochs.start, candidate, replica))
            for replica in range(population.replicas)
        ]
        whole = [part for part in parts if part is not None]
        fits = len(whole) == len(parts) and all(
            part['replicas'] == population.replicas
            and torch.equal(part['theta'], theta)
            and part.get('iteration') == whole[0].get('iteration')
            and part.get('epoch') == whole[0].get('epoch')
            for part in whole
        )
        if fits:
            left[candidate] = whole[population.replica]
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
    except Exception as error:  # torch has many ways to say that a file is damaged
        print_log(
            f'{path} is damaged ({type(error).__name__}): its candidate is trained from the start',
            'current',
            logging.WARNING,
        )
        return None
