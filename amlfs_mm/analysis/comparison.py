"""Runs of several configs over seeds: means, intervals, paired differences."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config

from amlfs_mm.utils.optional_imports import needs_extra

from .run import Run

with needs_extra('analysis', 'statistics of runs'):
    from scipy import stats

LEVEL = 0.95

# Settings that may differ between runs of one config: where and how each ran.
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
        mean: Mean of the values.
        half: Half the width of its 95 % t-interval; None with one value.
        n: Number of values.
    """

    mean: float
    half: float | None
    n: int

    def __str__(self) -> str:
        return f'{self.mean:.2f}' + ('' if self.half is None else f' ± {self.half:.2f}')


class Difference(NamedTuple):
    """A mean difference over common seeds, with the p-value of the paired t-test.

    Attributes:
        mean: Of the differences.
        p: The p-value; None with one seed.
    """

    mean: Mean
    p: float | None

    @property
    def separated(self) -> bool:
        """Whether the 95 % interval excludes 0."""
        return self.mean.half is not None and abs(self.mean.mean) > self.mean.half

    @property
    def verdict(self) -> str:
        """Outcome of the test and number of seeds, as text."""
        if self.p is None:
            return 'one seed'
        p = 'p < 0.001' if self.p < 0.001 else f'p = {self.p:.3f}'
        return f'{p if self.separated else f"not separated, {p}"}, n = {self.mean.n}'

    def __str__(self) -> str:
        return f'{self.mean} ({self.verdict})'


def mean_interval(values: list[float]) -> Mean:
    """The mean of independent values with its 95 % t-interval."""
    n = len(values)
    half = None if n < 2 else float(stats.t.ppf((1 + LEVEL) / 2, n - 1) * stats.sem(values))
    return Mean(float(np.mean(values)), half, n)


def compare_paired(
    one: dict[int | None, float], other: dict[int | None, float]
) -> Difference | None:
    """``one`` minus ``other``, paired by seed; None without a common seed.

    Args:
        one: Values by seed.
        other: Values by seed.
    """
    seeds = [seed for seed in one if seed in other]
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
    """Group the runs whose configs differ in the seed alone, under the config's name.

    The order of the runs is kept. If several configs have one name, the options in which they
    differ are added to it.

    Raises:
        ValueError: Two runs have the same config and the same seed.
    """
    by_options: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        settings = json.dumps(flat_options(run.config), sort_keys=True, default=str)
        by_options[run.name, settings].append(run)
    for members in by_options.values():
        seen: dict[int | None, Path] = {}
        for run in members:
            if run.seed in seen:
                raise ValueError(
                    f'{run.directory} and {seen[run.seed]} are the same config and the same seed, '
                    f'{run.seed}: give one of them'
                )
            seen[run.seed] = run.directory
    groups = {}
    for (name, _), members in by_options.items():
        rivals = [
            flat_options(others[0].config)
            for (other, _), others in by_options.items()
            if other == name
        ]
        mine = flat_options(members[0].config)
        differing = sorted(
            key for key in mine if any(rival.get(key) != mine[key] for rival in rivals)
        )
        suffix = ', '.join(f'{key}={mine[key]}' for key in differing)
        groups[f'{name} ({suffix})' if suffix else name] = members
    return groups


def flat_options(config: Config) -> dict[str, object]:
    """The settings of a config by dotted keys, without the seed and ``CIRCUMSTANCES``."""
    flat: dict[str, object] = {}

    def walk(prefix: str, value: object) -> None:
        pairs: Iterable[tuple[Any, object]]
        if isinstance(value, dict):
            pairs = value.items()
        elif isinstance(value, (list, tuple)) and any(isinstance(v, (dict, list)) for v in value):
            pairs = enumerate(value)
        else:
            flat[prefix] = value
            return
        for key, part in pairs:
            walk(f'{prefix}.{key}' if prefix else str(key), part)

    walk('', {k: v for k, v in config.to_dict().items() if k not in CIRCUMSTANCES})
    flat.pop('randomness.seed', None)
    return flat


class Row(NamedTuple):
    """One config in a comparison.

    Attributes:
        name: Name of the group of runs.
        candidate_epochs: Compute of a run; from the least to the most if it differs by seed.
        images: Training images of a run, likewise.
        test: Mean of the metric over the seeds that were tested; None if none was.
        differences: Difference to each control, by the control's name. None to itself, and to a
            control without a common seed.
    """

    name: str
    candidate_epochs: str
    images: str
    test: Mean | None
    differences: dict[str, Difference | None]


def compare_groups(groups: dict[str, list[Run]], metric: str, controls: list[str]) -> list[Row]:
    """Compare each group of runs with each control by a test metric, a row per group.

    Args:
        groups: Runs by the name of their group; see :func:`group_runs`.
        metric: Name of the metric in ``test.json``.
        controls: Names of groups.

    Raises:
        ValueError: A control is not among the groups, or a test lacks the metric.
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


def results_by_seed(runs: list[Run], metric: str) -> dict[int | None, float]:
    """The test metric of the runs that were tested, by seed.

    Raises:
        ValueError: A test lacks the metric.
    """
    for run in runs:
        if run.test and metric not in run.test:
            raise ValueError(
                f'{run.directory}/test.json has no metric {metric!r}; it has {sorted(run.test)}'
            )
    return {run.seed: run.test[metric] for run in runs if run.test}


def span(values: list[int | None]) -> str:
    """A count as text, or the least and the most of different ones."""
    known = [value for value in values if value is not None]
    if not known:
        return 'unknown'
    low, high = min(known), max(known)
    return f'{low:,}' if low == high else f'{low:,} to {high:,}'
