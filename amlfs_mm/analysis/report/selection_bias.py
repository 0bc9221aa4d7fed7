"""Selection bias: the best of B candidates on D_v looks better there than it is."""

from __future__ import annotations

import numpy as np

from amlfs_mm.engine.history.lineage import record_of_model
from amlfs_mm.utils.optional_imports import needs_extra

from ..runs.run import Run

with needs_extra('analysis', 'statistics of runs'):
    from scipy import integrate, stats


def expected_maximum(n: int) -> float:
    """Mean of the largest of n independent standard normal values."""

    def density_times_x(x: float) -> float:
        return x * n * stats.norm.pdf(x) * stats.norm.cdf(x) ** (n - 1)

    return integrate.quad(density_times_x, -12, 12)[0]


def last_quarter(records: list[dict]) -> list[dict]:
    """The last quarter of the rounds, at least one. By then the rewards have settled."""
    return records[-max(1, len(records) // 4) :]


def lead_of_winner(run: Run) -> tuple[float, float] | None:
    """The winner's reward minus the mean reward, and the same if all B were equally good.

    The second value is the rewards' standard deviation times :func:`expected_maximum`. It takes the
    whole spread for noise, and is therefore an upper bound of the optimism. Both are means over the
    last quarter of the rounds. None if no round there has two candidates that did not diverge.
    """
    leads, by_chance = [], []
    for record in last_quarter(run.searched):
        reward = np.array([r for r in record['reward'] if r is not None])
        if len(reward) > 1:
            leads.append(reward.max() - reward.mean())
            by_chance.append(reward.std(ddof=1) * expected_maximum(len(reward)))
    return (float(np.mean(leads)), float(np.mean(by_chance))) if leads else None


def last_on_validation(run: Run, metric: str | None) -> float | None:
    """Metric of the last epoch's model on D_v, or None; without a metric, a search's reward.

    If the search went back after the last round, this is the model that it went back to.
    """
    if run.records and metric in (None, run.reward):
        last = run.records[-1]
        if last['best'] is None and 'lineage' not in last:
            return None
        of_model = record_of_model(run.records)
        return None if of_model is None else of_model['reward'][of_model['best']]
    return run.validation.get(run.epochs, {}).get(metric) if metric else None


def optimism(run: Run, metric: str | None) -> float | None:
    """Metric of the last epoch's model on D_v minus on the test data; None if not measured.

    The difference also contains how much harder the test data are. A run without a choice of
    winners shows this part alone.
    """
    validation = last_on_validation(run, metric)
    if validation is None or metric is None or metric not in run.test:
        return None
    return validation - run.test[metric]
