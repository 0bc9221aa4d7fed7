"""What a benchmark found about each model of each run, and the file that keeps it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from amlfs_mm.utils.text_files import write_text

from ..runs.records import read_json_lines
from ..runs.run import Run
from ..runs.run_groups import group_runs

MODELS = {
    'last': 'the model of the last epoch',
    'best': 'the model with the best metric on D_v of all epochs',
    'kept': "the better one on D_v of a search's last model and its control's",
    'control': 'the last model of the control of a search',
}
SUFFIXES = {'last': '', 'best': ' (best epoch)', 'kept': ' (kept)', 'control': ' (control)'}


class Result(NamedTuple):
    """One model of one run.

    Attributes:
        config: Name of the config; of a grid, ``grid<B>_of_<config>``.
        model: Which model of the run it is; see ``MODELS``.
        seed: Of the run; None if its config sets none.
        epoch: The epoch, from 1, after which the model was saved.
        candidate_epochs: Compute of the whole run: models times the epochs that each was trained.
        images: Training images of the whole run.
        test: Metrics of the test; empty if it was not tested.
        validation: Metrics on D_v by epoch: of a search's winners, of a grid's chosen training.
        choice: The loss that a grid chose; whose model a search kept: ``search`` or ``control``.
            None for other models.
    """

    config: str
    model: str
    seed: int | None
    epoch: int | None
    candidate_epochs: int | None
    images: int | None
    test: dict[str, float]
    validation: dict[int, dict[str, float]]
    choice: str | None = None

    @property
    def name(self) -> str:
        """The config's name, and which model it is if not that of the last epoch."""
        return self.config + SUFFIXES[self.model]


def results_of(runs: Iterable[Run], metric: str | None) -> list[Result]:
    """A result for the last model of each run, and for each other model that was tested.

    Args:
        runs: Of any configs.
        metric: Name of the metric on D_v by which the best epoch of a plain run was found.

    Raises:
        ValueError: Two runs have the same config and the same seed, or a run whose best epoch was
            tested has no such metric on D_v.
    """
    groups = group_runs(list(runs))
    return [
        Result(
            config=name,
            model=model,
            seed=run.seed,
            epoch=run.best_epoch(metric) if metric and model == 'best' else run.epochs,
            candidate_epochs=run.candidate_epochs,
            images=run.images,
            test=run.tests.get(model, {}),
            validation=run.control_validation if model == 'control' else run.all_validation,
            choice=run.kept.kept if model == 'kept' and run.kept else None,
        )
        for name, members in groups.items()
        for model in MODELS
        for run in members
        if model == 'last' or model in run.tests
    ]


def write_results(results: Iterable[Result], path: str | Path) -> None:
    """Write results as JSON lines, one a line; :func:`read_results` reads them."""
    lines = [json.dumps(result._asdict()) + '\n' for result in results]
    write_text(Path(path), ''.join(lines))


def read_results(path: str | Path) -> list[Result]:
    """The results in a file of :func:`write_results`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is empty, or a line is no result. The message names the file and the line.
    """
    lines = read_json_lines(path)
    if not lines:
        raise ValueError(f'{path} holds no results')
    return [read_result(line, f'{path}, line {number}') for number, line in enumerate(lines, 1)]


def read_result(content: dict[str, Any], source: str) -> Result:
    """A result from its JSON object.

    Raises:
        ValueError: It is none; the message begins with ``source``.
    """
    expected = set(Result._fields)
    if set(content) != expected:
        raise ValueError(
            f'{source}, is no result: it has the keys {sorted(content)}, expected are '
            f'{sorted(expected)}'
        )
    if content['model'] not in MODELS:
        raise ValueError(f'{source}: model must be one of {list(MODELS)}, got {content["model"]!r}')
    if not isinstance(content['test'], dict) or not isinstance(content['validation'], dict):
        raise ValueError(f'{source}: test and validation must hold metrics by name')
    try:
        validation = {int(epoch): metrics for epoch, metrics in content['validation'].items()}
    except ValueError as error:
        raise ValueError(f'{source}: validation must have epochs as its keys') from error
    return Result(**{**content, 'validation': validation})
