"""What the figures of a benchmark show: gains over a reference, and curves on D_v."""

from __future__ import annotations

from collections.abc import Sequence

from ..runs.run import curve
from .comparison import group_results, tests_by_seed
from .results import Result
from .statistics import Mean, compare_paired


def metric_of(results: Sequence[Result]) -> str:
    """The first metric of the tests.

    Raises:
        ValueError: Nothing was tested.
    """
    for result in results:
        if result.test:
            return next(iter(result.test))
    raise ValueError('no result was tested')


def group_by_role(
    results: Sequence[Result], rows: Sequence[str] | None = None
) -> dict[str, list[Result]]:
    """The results by their names without the data set's: ``amlfs`` for ``amlfs_mlp_fashion``.

    The data set's name is what follows ``baseline_`` in the shortest name that begins with it.
    Without such a name all names stay as they are.

    Args:
        results: Of one data set.
        rows: The names to keep, in their order; all by default.

    Raises:
        ValueError: There is no row of a name.
    """
    groups = group_results(results)
    baselines = [name for name in groups if name.startswith('baseline_')]
    data = min(baselines, key=len).removeprefix('baseline') if baselines else ''
    named = {name.replace(data, '', 1) if data else name: group for name, group in groups.items()}
    if unknown := [row for row in rows or () if row not in named]:
        raise ValueError(f'no results of {unknown}; there are {list(named)}')
    return {row: named[row] for row in rows} if rows else named


def gains_over(
    results: Sequence[Result], reference: str, rows: Sequence[str] | None = None
) -> dict[str, Mean]:
    """The test metric minus the reference's, paired by seed, by the name of the row.

    Rows that share no tested seed with the reference are left out.

    Args:
        results: Of one data set.
        reference: Name of a row.
        rows: Names of the rows to compare; all others by default.

    Raises:
        ValueError: There is no row of a name.
    """
    metric = metric_of(results)
    groups = group_by_role(results)
    wanted = rows or [name for name in groups if name != reference]
    if unknown := [name for name in (reference, *wanted) if name not in groups]:
        raise ValueError(f'no results of {unknown}; there are {list(groups)}')
    tests = {name: tests_by_seed(groups[name], metric) for name in (reference, *wanted)}
    differences = {name: compare_paired(tests[name], tests[reference]) for name in wanted}
    return {name: found.mean for name, found in differences.items() if found is not None}


def curves_of(
    results: Sequence[Result], metric: str, rows: Sequence[str] | None = None
) -> dict[str, list[dict[int, float]]]:
    """The metric on D_v by epoch, a curve for each seed, by the name of the row.

    Without ``rows`` these are the runs' last models, since another model of a run has its curve.

    Raises:
        ValueError: There is no row of a name, or no metric on D_v.
    """
    shown = results if rows else [r for r in results if r.model in ('last', 'control')]
    return {
        name: [curve(result.validation, metric, name) for result in members]
        for name, members in group_by_role(shown, rows).items()
    }
