"""What the policy learns from, in place of the measured rewards: controls and cures.

A filter is called with ``(reward (B,), generator, num_scored)`` and returns rewards (B,). All equal
means no update. The winner is the best by the measured rewards in any case.
"""

from __future__ import annotations

import torch
from torch import Tensor


class NullReward:
    """Random rewards, N(0, 1): how far mu drifts where there is nothing to learn.

    Adam on normalised rewards takes steps of full size on noise too. The winner is still chosen by
    the measured reward, so that against a search only the learning of mu is missing, and against
    the frozen distribution (section 4.6) only the drift is added.
    """

    def __call__(self, reward: Tensor, generator: torch.Generator, num_scored: int) -> Tensor:
        """Rewards that depend on the generator alone; a round in which all diverged stays one."""
        noise = torch.randn(len(reward), generator=generator, dtype=torch.float64)
        return noise if torch.isfinite(reward).any() else reward


class IgnoreTies:
    """No update in epochs whose rewards differ by less than the reward's own standard error.

    At a small learning rate all candidates tie; normalised rewards would turn the tie into steps
    of full size. Compared is the deviation of the finite rewards over the candidates.

    Args:
        error: The reward's standard error, in its unit. ``'binomial'``: that of a percentage p of
            n samples, ``sqrt(p (100 - p) / n)``; fits accuracies and rank-1, not mAP.
    """

    def __init__(self, error: float | str = 'binomial') -> None:
        if error != 'binomial' and not (isinstance(error, (int, float)) and error > 0):
            raise ValueError(f"error must be 'binomial' or a positive number, got {error!r}")
        self.error = error

    def __call__(self, reward: Tensor, generator: torch.Generator, num_scored: int) -> Tensor:
        """The rewards, or their mean for all if they tie."""
        finite = reward[torch.isfinite(reward)]
        if not len(finite):
            return reward
        mean, error = finite.mean(), self.error
        if error == 'binomial':
            error = (mean * (100 - mean) / num_scored).clamp(min=0).sqrt()
        tie = finite.std(correction=0) < error
        return torch.where(tie, mean.expand_as(reward), reward)
