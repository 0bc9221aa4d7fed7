"""Runs of several configs over seeds: means, intervals, paired differences."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import NamedTuple

import numpy as np
from scipy import stats

from .run import Run

LEVEL = 0.95

# What may differ between runs of one config: where and how it ran, and the seed.
CIRCUMSTANCES = {
    'work_dir',
    'launcher',
    'resume',
    'log_level',
    'visualizer',
    'default_hooks',
    'experiment_name',
}


class Mean(NamedTuple):
    """A mean over seeds.

    Attributes:
        mean: Of the values.
        half: Half-width of its 95 % t-interval; None with one value.
        n: How many values.
    """

    mean: float
    half: float | None
    n: int

    def __str__(self) -> str:
        return f'{self.mean:.2f}' + ('' if self.half is None else f' ± {self.half:.2f}')


class Difference(NamedTuple):
    """A mean difference over common seeds, with the paired t-test's p-value (None: one seed)."""

    mean: Mean
    p: float | None

    @property
    def separated(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.mean.half is not None and abs(self.mean.mean) > self.mean.half

    @property
    def verdict(self) -> str:
        """The test's outcome and the number of seeds."""
        if self.p is None:
            return 'one seed'
        p = 'p < 0.001' if self.p < 0.001 else f'p = {self.p:.3f}'
        return f'{p if self.separated else f"not separated, {p}"}, n = {self.mean.n}'

    def __str__(self) -> str:
        return f'{self.mean} ({self.verdict})'


def mean_interval(values: list[float]) -> Mean:
    """The mean of independent values with its 95 % t-interval."""
    values = np.asarray(values, float)
    n = len(values)
    half = None if n < 2 else stats.t.ppf((1 + LEVEL) / 2, n - 1) * stats.sem(values)
    return Mean(float(values.mean()), None if half is None else float(half), n)


def compare_paired(one: dict[int, float], other: dict[int, float]) -> Difference | None:
    """``one`` minus ``other``, values by seed, over the seeds that both have; None without any."""
    seeds = sorted(set(one) & set(other))
    if not seeds:
        return None
    difference = [one[seed] - other[seed] for seed in seeds]
    if len(seeds) < 2:
        return Difference(mean_interval(difference), None)
    if np.ptp(difference) == 0:  # no spread: the t statistic is 0/0, or infinite
        return Difference(mean_interval(difference), 1.0 if difference[0] == 0 else 0.0)
    p = stats.ttest_rel([one[s] for s in seeds], [other[s] for s in seeds]).pvalue
    return Difference(mean_interval(difference), float(p))


def group_runs(runs: list[Run]) -> dict[str, list[Run]]:
    """Runs of one config, all but the seed alike, under its name, in the order given.

    Where configs of one name differ, the options that do are added to the name.

    Raises:
        ValueError: Two runs have the same config and seed.
    """
    by_options = defaultdict(list)
    for run in runs:
        by_options[run.name, json.dumps(options(run), sort_keys=True, default=str)].append(run)
    for members in by_options.values():
        seen = {}
        for run in members:
            if run.seed in seen:
                raise ValueError(
                    f'{run.directory} and {seen[run.seed]} are the same config and the same seed, '
                    f'{run.seed}: give one of them'
                )
            seen[run.seed] = run.directory
    groups = {}
    for (name, _), members in by_options.items():
        rivals = [options(others[0]) for (other, _), others in by_options.items() if other == name]
        mine = options(members[0])
        differing = sorted(
            key for key in mine if any(rival.get(key) != mine[key] for rival in rivals)
        )
        suffix = ', '.join(f'{key}={mine[key]}' for key in differing)
        groups[f'{name} ({suffix})' if suffix else name] = members
    return groups


def options(run: Run) -> dict[str, object]:
    """The config's settings as dotted keys and plain values, without seed and circumstances."""
    flat = {}

    def walk(prefix: str, value: object) -> None:
        pairs = value.items() if isinstance(value, dict) else None
        if isinstance(value, (list, tuple)) and any(isinstance(v, (dict, list)) for v in value):
            pairs = enumerate(value)
        if pairs is None:
            flat[prefix] = value
            return
        for key, part in pairs:
            walk(f'{prefix}.{key}' if prefix else str(key), part)

    walk('', {k: v for k, v in run.config.to_dict().items() if k not in CIRCUMSTANCES})
    flat.pop('randomness.seed', None)
    return flat


class Row(NamedTuple):
    """One config in a comparison.

    Attributes:
        name: Of the group of runs.
        candidate_epochs: Compute of a run, from the least to the most over seeds.
        images: Training images of a run, likewise.
        test: The metric over the seeds that were tested; None if none was.
        differences: To each control, by its name; None to itself, and without a common seed.
    """

    name: str
    candidate_epochs: str
    images: str
    test: Mean | None
    differences: dict[str, Difference | None]


def compare_groups(groups: dict[str, list[Run]], metric: str, controls: list[str]) -> list[Row]:
    """A row for each group of runs, compared with each control by a test metric.

    Raises:
        ValueError: A control is no group, or a test has not that metric.
    """
    if unknown := [name for name in controls if name not in groups]:
        raise ValueError(f'no run of the controls {unknown}; there are {list(groups)}')
    results = {name: results_by_seed(runs, metric) for name, runs in groups.items()}
    return [
        Row(
            name,
            span([run.candidate_epochs for run in runs]),
            span([run.images for run in runs]),
            mean_interval(list(results[name].values())) if results[name] else None,
            {
                control: None
                if control == name
                else compare_paired(results[name], results[control])
                for control in controls
            },
        )
        for name, runs in groups.items()
    ]


def results_by_seed(runs: list[Run], metric: str) -> dict[int, float]:
    """The test metric of the runs that were tested."""
    for run in runs:
        if run.test and metric not in run.test:
            raise ValueError(
                f'{run.directory}/test.json has no metric {metric!r}; it has {sorted(run.test)}'
            )
    return {run.seed: run.test[metric] for run in runs if run.test}


def span(values: list[int | None]) -> str:
    """A count, or from the least to the most."""
    known = [value for value in values if value is not None]
    if not known:
        return 'unknown'
    low, high = min(known), max(known)
    return f'{low:,}' if low == high else f'{low:,} to {high:,}'
