"""The winner's curse: the best of B candidates on D_v looks better than it is."""

from __future__ import annotations

import numpy as np
from scipy import integrate, stats

from .run import Run


def expected_maximum(n: int) -> float:
    """The mean of the largest of n independent standard normal values."""

    def density_times_x(x: float) -> float:
        return x * n * stats.norm.pdf(x) * stats.norm.cdf(x) ** (n - 1)

    return integrate.quad(density_times_x, -12, 12)[0]


def last_quarter(records: list[dict]) -> list[dict]:
    """The last quarter of the rounds, at least one: where rewards have settled."""
    return records[-max(1, len(records) // 4) :]


def lead_of_winner(run: Run) -> tuple[float, float] | None:
    """How far the winner leads the mean, and how far it would if all B were equally good.

    The second is the rewards' spread times :func:`expected_maximum`: the whole spread taken as
    noise, so an upper bound of the optimism. Both are means over the last quarter of the rounds;
    None without a round of two survivors there.
    """
    leads, by_chance = [], []
    for record in last_quarter(run.searched):
        reward = np.array([r for r in record['reward'] if r is not None])
        if len(reward) > 1:
            leads.append(reward.max() - reward.mean())
            by_chance.append(reward.std(ddof=1) * expected_maximum(len(reward)))
    return (float(np.mean(leads)), float(np.mean(by_chance))) if leads else None


def last_on_validation(run: Run, metric: str | None) -> float | None:
    """The last epoch's model on D_v, or None; without a metric the reward of a search."""
    if run.records and metric in (None, run.reward):
        last = run.records[-1]
        return None if last['best'] is None else last['reward'][last['best']]
    return run.validation.get(run.epochs, {}).get(metric)


def optimism(run: Run, metric: str | None) -> float | None:
    """The last epoch's model on D_v minus the same on the test data; None if not measured.

    Contains how much harder the test data are; a run without a selection shows that part alone.
    """
    validation = last_on_validation(run, metric)
    if validation is None or metric not in run.test:
        return None
    return validation - run.test[metric]
