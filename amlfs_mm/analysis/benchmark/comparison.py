"""Results of several configs over seeds, side by side: means and paired differences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from .results import Result
from .statistics import Difference, Mean, compare_paired, holm, mean_interval


class Row(NamedTuple):
    """One config, or one of several models of its runs, in a comparison.

    Attributes:
        name: Name of the results; see :attr:`Result.name`.
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


def group_results(results: Iterable[Result]) -> dict[str, list[Result]]:
    """The results by their names, in the order of the first of each name.

    Raises:
        ValueError: Two results have one name and one seed.
    """
    groups: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if any(other.seed == result.seed for other in groups[result.name]):
            raise ValueError(
                f'there are two results of {result.name}, seed {result.seed}: give one of them'
            )
        groups[result.name].append(result)
    return dict(groups)


def compare_results(results: Iterable[Result], metric: str, controls: list[str]) -> list[Row]:
    """Compare the results with each control by a test metric, a row for each name.

    The p-values are corrected for the number of comparisons by :func:`holm`: all pairs of a row and
    a control in the table are one family.

    Args:
        results: Of all seeds.
        metric: Name of the metric of the test.
        controls: Names of results.

    Raises:
        ValueError: A control is not among the results, or a test lacks the metric.
    """
    groups = group_results(results)
    if unknown := [name for name in controls if name not in groups]:
        raise ValueError(f'no run of the controls {unknown}; there are {list(groups)}')
    tests = {name: tests_by_seed(members, metric) for name, members in groups.items()}
    pairs = {
        (name, control): compare_paired(tests[name], tests[control])
        for name in groups
        for control in controls
        if name != control
    }
    corrected = correct(pairs)
    return [
        Row(
            name,
            span([result.candidate_epochs for result in members]),
            span([result.images for result in members]),
            mean_interval(list(tests[name].values())) if tests[name] else None,
            {control: corrected.get((name, control)) for control in controls},
        )
        for name, members in groups.items()
    ]


Pair = tuple[str, str]


def correct(pairs: dict[Pair, Difference | None]) -> dict[Pair, Difference | None]:
    """The differences with corrected p-values. A pair and its reverse are one comparison."""
    family = {
        frozenset(pair): difference.p
        for pair, difference in pairs.items()
        if difference is not None and difference.p is not None
    }
    corrected = dict(zip(family, holm(list(family.values())), strict=True))
    return {
        pair: difference and difference._replace(corrected=corrected.get(frozenset(pair)))
        for pair, difference in pairs.items()
    }


def tests_by_seed(results: list[Result], metric: str) -> dict[int | None, float]:
    """The test metric of the results that were tested, by seed.

    Raises:
        ValueError: A test lacks the metric.
    """
    for result in results:
        if result.test and metric not in result.test:
            raise ValueError(
                f'the test of {result.name}, seed {result.seed}, has no metric {metric!r}; it has '
                f'{sorted(result.test)}'
            )
    return {result.seed: result.test[metric] for result in results if result.test}


def span(values: list[int | None]) -> str:
    """A count as text, or the least and the most of different ones."""
    known = [value for value in values if value is not None]
    if not known:
        return 'unknown'
    low, high = min(known), max(known)
    return f'{low:,}' if low == high else f'{low:,} to {high:,}'


def tabulate(rows: list[Row], controls: list[str]) -> str:
    """The comparison as a Markdown table."""
    header = ['config', 'candidate-epochs', 'images', 'seeds', 'test']
    lines: list[list[object]] = [[*header, *(f'minus {control}' for control in controls)]]
    lines.append(['---'] * len(lines[0]))
    for row in rows:
        seeds, test = (row.test.n, row.test) if row.test else (0, 'not tested')
        differences = ['' if row.differences[c] is None else row.differences[c] for c in controls]
        lines.append([row.name, row.candidate_epochs, row.images, seeds, test, *differences])
    return '\n'.join('| ' + ' | '.join(map(str, line)) + ' |' for line in lines)


def rows_as_data(rows: list[Row]) -> list[dict]:
    """The comparison as lists and dicts, for JSON.

    Each interval is given as ``mean`` and ``half``, half the width of the 95 % t-interval. Each
    difference has ``p`` of the paired t-test and ``p_holm``, the corrected one.
    """
    return [
        dict(
            name=row.name,
            candidate_epochs=row.candidate_epochs,
            images=row.images,
            test=row.test and row.test._asdict(),
            differences={
                control: difference
                and dict(**difference.mean._asdict(), p=difference.p, p_holm=difference.corrected)
                for control, difference in row.differences.items()
            },
        )
        for row in rows
    ]
