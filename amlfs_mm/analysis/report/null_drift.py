"""How far mu moves if the rewards are noise: what to compare Fig. 3 of the paper with."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from amlfs_mm.registry import TASK_UTILS

from ..runs.run import Run


class NullDrift:
    """Deviations mu - mu_0 in searches whose rewards do not depend on theta.

    Args:
        deviation: (U + 1, R, D) after 0 ... U updates, in R such searches.
    """

    def __init__(self, deviation: Tensor) -> None:
        self.deviation = deviation

    @property
    def num_updates(self) -> int:
        """Number of updates U."""
        return len(self.deviation) - 1

    @property
    def num_searches(self) -> int:
        """Number of searches R."""
        return self.deviation.shape[1]

    def coordinate_band(self, share: float = 0.95) -> Tensor:
        """Bound (U + 1,) that this share of the coordinates' deviations stays within, by update.

        The coordinates are pooled, since the policies here treat all of them alike.
        """
        return self.deviation.abs().flatten(1).quantile(share, dim=1)

    def distance_band(self, share: float = 0.95) -> Tensor:
        """Bound (U + 1,) that this share of the searches' |mu - mu_0| stays within, by update."""
        return self.deviation.norm(dim=2).quantile(share, dim=1)


def simulate_null_drift(
    policy: dict, mu_0: Tensor, num_candidates: list[int], searches: int = 100, seed: int = 0
) -> NullDrift:
    """Simulate searches with the given policy and independent standard normal rewards.

    Args:
        policy: Config of the policy, as in ``LossSearchHook``.
        mu_0: Start (D,) of mu.
        num_candidates: B of each update.
        searches: Number of searches R.
        seed: Seed of the candidates and the rewards.
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


def replay_null_drift(runs: Sequence[Run], num_updates: int) -> NullDrift:
    """The drift of mu in finished searches with random rewards, which replaces a simulation.

    Args:
        runs: The searches with random rewards.
        num_updates: How many of their updates to take.

    Raises:
        ValueError: A search made fewer updates, or its theta has another length.
    """
    paths = []
    for run in runs:
        if len(run.updates) < num_updates:
            raise ValueError(
                f'{run.directory} updated mu {len(run.updates)} times, but the search that it is '
                f'compared with did so {num_updates} times'
            )
        mu = [run.updates[0]['mu_before']] + [record['mu'] for record in run.updates]
        paths.append(torch.tensor(mu[: num_updates + 1]))
    if len({path.shape for path in paths}) > 1:
        raise ValueError(
            f'theta has different lengths in {[str(run.directory) for run in runs]}: give searches '
            'of one space'
        )
    path = torch.stack(paths, dim=1)
    return NullDrift(path - path[:1])


def drift_without_signal(run: Run, null_runs: Sequence[Run] = ()) -> NullDrift | None:
    """What random rewards do to the mu of a search with the same policy, mu_0, B and updates.

    None for a search whose mu never moved.

    Args:
        run: Any run.
        null_runs: Finished searches with random rewards; without them, searches are simulated.

    Raises:
        ValueError: A null run made fewer updates than the search, or searched another space.
    """
    if not run.moves_mu:
        return None
    mu_0 = torch.tensor(run.records[0]['mu_before'])
    if not null_runs:
        num_candidates = [len(record['reward']) for record in run.updates]
        return simulate_null_drift(run.options.policy, mu_0, num_candidates)
    null = replay_null_drift(null_runs, len(run.updates))
    if null.deviation.shape[2] != len(mu_0):
        raise ValueError(
            f'{null_runs[0].directory} is no null run of {run.directory}: theta has '
            f'{null.deviation.shape[2]} numbers there, {len(mu_0)} here'
        )
    return null
