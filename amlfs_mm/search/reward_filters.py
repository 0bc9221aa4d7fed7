"""Filters between the measured rewards and the policy (:class:`.protocols.RewardFilter`).

The policy learns from what a filter returns. The winner is always the best by measured reward.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def check_error(error: float | str, name: str = 'error', named_errors: str = "'binomial'") -> None:
    """A standard error is ``'binomial'`` or a positive number, in the reward's unit.

    Args:
        error: What a user gave.
        name: Of the option, for the message.
        named_errors: What else than a number the option takes, for the message.

    Raises:
        ValueError: It is something else.
    """
    positive = isinstance(error, (int, float)) and not isinstance(error, bool) and error > 0
    if error != 'binomial' and not positive:
        raise ValueError(f'{name} must be {named_errors} or a positive number, got {error!r}')


def standard_error(reward: float, num_scored: int, error: float | str) -> float:
    """The standard error of a reward, in the reward's unit.

    Args:
        reward: A percentage p, if the error is binomial.
        num_scored: How many validation samples n it was measured on; of a search among images, how
            many queries or probes.
        error: The error itself, or ``'binomial'``: ``sqrt(p (100 - p) / n)``.
    """
    if not isinstance(error, str):
        return error
    return math.sqrt(max(reward * (100 - reward), 0) / num_scored)


class NullReward:
    """Random rewards N(0, 1), a control: how far does mu drift if there is nothing to learn?

    Adam on normalised rewards takes steps of full size on noise too. The winner is still chosen by
    the measured reward. So this control lacks only the learning of mu that a search has. The
    frozen distribution of section 4.6 lacks the drift as well.
    """

    def __call__(self, reward: Tensor, generator: torch.Generator, num_scored: int) -> Tensor:
        """Rewards (B,) from the generator alone; if all candidates diverged, the measured ones."""
        noise = torch.randn(len(reward), generator=generator, dtype=torch.float64)
        return noise if torch.isfinite(reward).any() else reward


class IgnoreTies:
    """No update in rounds whose rewards differ by less than the reward's own standard error.

    At a small learning rate the candidates' rewards hardly differ. Normalised rewards would still
    give steps of full size. This filter compares the standard deviation of the finite rewards over
    the candidates with the standard error.

    Args:
        error: The standard error of a reward, in the reward's unit. ``'binomial'``: that of a
            percentage p of n samples, ``sqrt(p (100 - p) / n)``. It fits accuracies and rank-1,
            not mAP.

    Raises:
        ValueError: error is neither ``'binomial'`` nor a positive number.
    """

    def __init__(self, error: float | str = 'binomial') -> None:
        check_error(error)
        self.error = error

    def __call__(self, reward: Tensor, generator: torch.Generator, num_scored: int) -> Tensor:
        """The rewards (B,), or their mean for all candidates if they tie."""
        finite = reward[torch.isfinite(reward)]
        if not len(finite):
            return reward
        mean = finite.mean()
        tie = finite.std(correction=0) < standard_error(mean.item(), num_scored, self.error)
        return torch.where(tie, mean.expand_as(reward), reward)
