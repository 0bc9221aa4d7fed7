"""Results of a benchmark, from work dirs and from files of results."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..runs.work_dirs import find_runs
from .grid_choice import GRID_FILE, results_of_grid
from .results import Result, read_results, results_of


def find_results(paths: Iterable[Path], metric: str) -> list[Result]:
    """The results in files and folders, in their order; a grid stands behind its baseline.

    Args:
        paths: ``.jsonl`` files of results; work dirs of runs and of grids, or folders of these.
        metric: Name of the metric on D_v by which the best epoch of a plain run was found.

    Raises:
        FileNotFoundError: A path has no results.
        ValueError: A file is damaged, or not of its run.
    """
    results: list[Result] = []
    folders, grids = [], []
    for path in paths:
        if path.is_file() and path.suffix == '.jsonl':
            results += read_results(path)
            continue
        if (path / GRID_FILE).is_file():
            grids.append(path)
            continue
        below = sorted(file.parent for file in path.glob(f'*/{GRID_FILE}'))
        grids += below
        if not below or any(path.glob('*.py')) or any(path.glob('*/*.py')):
            folders.append(path)  # it holds runs, too
    results += results_of(find_runs(folders), metric)
    for directory in grids:
        of_grid = results_of_grid(directory)
        baseline = of_grid[0].config.partition('_of_')[2]
        positions = [i for i, result in enumerate(results) if of_baseline(result, baseline)]
        position = positions[-1] + 1 if positions else 0
        results[position:position] = of_grid
    return results


def of_baseline(result: Result, baseline: str) -> bool:
    """Whether a result is of a baseline or of a grid that starts from it."""
    return result.config == baseline or result.config.partition('_of_')[2] == baseline
