"""Which training of a grid of static losses is best on D_v, and the file that says so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amlfs_mm.utils.text_files import read_json, write_json

from ..runs.run import Run, curve, first_best, nan_is_worst
from ..runs.work_dirs import read_tests
from .results import Result

GRID_FILE = 'grid.json'


def choose_losses(runs: Sequence[Run], losses: Sequence[str], metric: str) -> dict[str, Any]:
    """Choose by D_v among trainings that differ in their loss alone.

    Args:
        runs: Of one seed, finished.
        losses: Their names.
        metric: Name of the metric on D_v.

    Returns:
        ``chosen``: for ``last``, the training with the best metric in its last epoch; for ``best``,
        the one with the best metric of any epoch. Of equal ones, the first in the grid. Each has
        ``loss``, ``epoch`` and ``validation``. Also ``metric``, ``seed``, the ``scores`` of all
        losses, and the compute of all trainings.

    Raises:
        ValueError: A training has no such metric on D_v, or not in its last epoch; or all diverged.
    """
    curves = [curve(run.all_validation, metric, run.directory) for run in runs]
    for run, values in zip(runs, curves, strict=True):
        if run.epochs not in values:
            raise ValueError(f'{run.directory} has no {metric!r} on D_v in epoch {run.epochs}')
    epochs = dict(last=[run.epochs for run in runs], best=[first_best(values) for values in curves])
    chosen = {}
    for model, ends in epochs.items():
        scores = [nan_is_worst(values[end]) for values, end in zip(curves, ends, strict=True)]
        if math.isinf(max(scores)):
            raise ValueError(f'{metric} is NaN on D_v in all trainings of the grid: all diverged')
        first = scores.index(max(scores))
        chosen[model] = dict(
            loss=losses[first], epoch=ends[first], validation=runs[first].all_validation
        )
    images = [run.images for run in runs]
    return dict(
        metric=metric,
        seed=runs[0].seed,
        chosen=chosen,
        scores=[
            dict(loss=loss, last=values[end], best=values[best], best_epoch=best)
            for loss, values, end, best in zip(losses, curves, *epochs.values(), strict=True)
        ],
        candidate_epochs=sum(run.candidate_epochs for run in runs),
        images=None if None in images else sum(filter(None, images)),
    )


def write_choice(choice: dict[str, Any], directory: Path) -> None:
    """Write what :func:`choose_losses` found into the directory of a grid."""
    write_json(directory / GRID_FILE, choice)


def read_choice(directory: Path) -> dict[str, Any]:
    """The content of ``grid.json``.

    Raises:
        FileNotFoundError: There is none.
        ValueError: It is damaged.
    """
    path = directory / GRID_FILE
    content = read_json(path)
    if not isinstance(content, dict) or not {'chosen', 'scores', 'seed'} <= set(content):
        raise ValueError(f'{path} is not what tools/analysis/benchmark.py --grid writes')
    return content


def results_of_grid(directory: Path) -> list[Result]:
    """The two controls in the directory of a grid: the best last epoch, and the best epoch.

    Raises:
        FileNotFoundError: It is no directory of a grid.
        ValueError: A file in it is damaged.
    """
    content, tests = read_choice(directory), read_tests(directory)
    return [
        Result(
            config=directory.name.removesuffix(f'_seed{content["seed"]}'),
            model=model,
            seed=content['seed'],
            epoch=chosen['epoch'],
            candidate_epochs=content['candidate_epochs'],
            images=content['images'],
            test=tests.get(model, {}),
            validation={int(epoch): metrics for epoch, metrics in chosen['validation'].items()},
            choice=chosen['loss'],
        )
        for model, chosen in content['chosen'].items()
    ]
