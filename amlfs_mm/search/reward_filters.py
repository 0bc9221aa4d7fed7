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
