"""How far mu wanders if the rewards are noise: the band to hold the paper's Fig. 3 against."""

from __future__ import annotations

import torch
from torch import Tensor

from amlfs_mm.registry import TASK_UTILS

from .run import Run


class NullDrift:
    """Deviations mu - mu_0 of searches whose rewards say nothing about theta.

    Args:
        deviation: (U + 1, R, D) after 0 ... U updates, in R such searches.
    """

    def __init__(self, deviation: Tensor) -> None:
        self.deviation = deviation

    @property
    def num_updates(self) -> int:
        """U."""
        return len(self.deviation) - 1

    @property
    def num_searches(self) -> int:
        """R."""
        return self.deviation.shape[1]

    def coordinate_band(self, share: float = 0.95) -> Tensor:
        """(U + 1,) that the size of this share of all coordinates' deviations does not exceed.

        Coordinates are pooled: the policies here treat all alike.
        """
        return self.deviation.abs().flatten(1).quantile(share, dim=1)

    def distance_band(self, share: float = 0.95) -> Tensor:
        """(U + 1,) that |mu - mu_0| of this share of the searches does not exceed."""
        return self.deviation.norm(dim=2).quantile(share, dim=1)


def simulate_null_drift(
    policy: dict, mu_0: Tensor, num_candidates: list[int], searches: int = 100, seed: int = 0
) -> NullDrift:
    """Searches with the policy itself and independent standard normal rewards.

    Args:
        policy: Its config, as in ``LossSearchHook``.
        mu_0: (D,) where it starts.
        num_candidates: B of each update.
        searches: R.
        seed: Of candidates and rewards.
    """
    generator = torch.Generator().manual_seed(seed)
    deviation = torch.zeros(len(num_candidates) + 1, searches, len(mu_0))
    for search in range(searches):
        built = TASK_UTILS.build(policy, default_args=dict(mean=mu_0))
        for update, n in enumerate(num_candidates, start=1):
            theta = built.sample(n, generator)
            built.update(theta, torch.randn(n, generator=generator))
            deviation[update, search] = built.mean - mu_0
    return NullDrift(deviation)


def replay_null_drift(runs: list[Run], num_updates: int) -> NullDrift:
    """What finished searches with random rewards did, in place of a simulation.

    Raises:
        ValueError: One of them made fewer updates.
    """
    paths = []
    for run in runs:
        if len(run.updates) < num_updates:
            raise ValueError(
                f'{run.directory} updated mu {len(run.updates)} times, the search that it is to '
                f'be compared with {num_updates} times'
            )
        mu = [run.updates[0]['mu_before']] + [record['mu'] for record in run.updates]
        paths.append(torch.tensor(mu[: num_updates + 1]))
    path = torch.stack(paths, dim=1)
    return NullDrift(path - path[:1])


def drift_without_signal(run: Run, null_runs: list[Run] = ()) -> NullDrift | None:
    """The null drift that belongs to a search: its policy, mu_0 and B, update for update.

    None for a search whose mu never moved.
    """
    if not run.moves_mu:
        return None
    if null_runs:
        return replay_null_drift(null_runs, len(run.updates))
    mu_0 = torch.tensor(run.records[0]['mu_before'])
    return simulate_null_drift(run.policy, mu_0, [len(r['reward']) for r in run.updates])
