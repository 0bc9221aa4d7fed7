"""The policy's part of Algorithm 1: drawing candidates, and learning from their rewards."""

from __future__ import annotations

import torch
from torch import Tensor

from amlfs_mm.registry import TASK_UTILS
from amlfs_mm.search import find_loss, protocols
from amlfs_mm.utils.randomness import derive_seed

from ..options import SearchOptions
from ..search_schedule import SearchSchedule
from ..state.search_round import SearchRound


class PolicySteps:
    """A policy, its start mu_0, and what filters its rewards.

    All processes make the same calls and get the same numbers.

    Args:
        space: That is searched.
        options: Of the search.
        schedule: Which epochs are a warm-up.
        seed: Of the run.
    """

    def __init__(
        self,
        space: protocols.SearchSpace,
        options: SearchOptions,
        schedule: SearchSchedule,
        seed: int,
    ) -> None:
        self.space = space
        self.options = options
        self.schedule = schedule
        self.seed = seed
        self.mu_0 = find_loss(space, options.mu_0)
        self.policy = TASK_UTILS.build(options.policy, default_args=dict(mean=self.mu_0))
        filter_config = options.reward_filter
        self.reward_filter = TASK_UTILS.build(filter_config) if filter_config else None

    def sample(self, epoch: int) -> Tensor:
        """The candidates (B, D) of the round that begins with this epoch, from 0 (Eq. 19).

        The control, if there is one, is the last. In the warm-up there is one candidate, the plain
        loss.
        """
        if self.schedule.is_warmup(epoch):
            return self.space.identity()[None]
        generator = torch.Generator().manual_seed(derive_seed(self.seed, epoch))
        if not self.options.control:
            return self.policy.sample(self.options.num_candidates, generator)
        samples = self.policy.sample(self.options.num_candidates - 1, generator)
        return torch.cat([samples, self.mu_0[None].to(samples)])

    def update(self, search_round: SearchRound, reward: Tensor, num_scored: int) -> Tensor:
        """Move mu (Eq. 20), and return the advantages (B,). The warm-up leaves mu as it is.

        Args:
            search_round: With the candidates.
            reward: (B,) of the samples, NaN where one diverged.
            num_scored: How many validation samples each reward was measured on.
        """
        first_epoch, theta = search_round.epochs.start, search_round.theta
        if self.schedule.is_warmup(first_epoch):
            return torch.zeros_like(reward)
        if self.reward_filter is not None:
            # Candidates have the numbers 0 ... B - 1: the seed of number B is nobody else's.
            generator = torch.Generator().manual_seed(
                derive_seed(self.seed, first_epoch, len(theta))
            )
            reward = self.reward_filter(reward, generator, num_scored)
        return self.policy.update(search_round.samples, reward)
