"""Learning rate and weight decay of a baseline, chosen on D_v from a grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

from ..runs.run import Run, curve, first_best, nan_is_worst
from .benchmark_runs import Training
from .statistics import Mean, mean_interval

LR = 'optim_wrapper.optimizer.lr'
WEIGHT_DECAY = 'optim_wrapper.optimizer.weight_decay'


class Setting(NamedTuple):
    """One point of the grid.

    Attributes:
        lr: Learning rate.
        weight_decay: Weight decay.
    """

    lr: float
    weight_decay: float

    @property
    def options(self) -> tuple[str, ...]:
        """As ``--cfg-options`` takes them."""
        return (f'{LR}={self.lr:g}', f'{WEIGHT_DECAY}={self.weight_decay:g}')

    def __str__(self) -> str:
        return f'lr{self.lr:g}_wd{self.weight_decay:g}'


class Score(NamedTuple):
    """What a setting reached on D_v.

    Attributes:
        setting: The setting.
        last: Mean over seeds of the metric in the last epoch.
        best: Mean over seeds of the metric in the best epoch.
    """

    setting: Setting
    last: Mean
    best: Mean


def plan_tuning(
    baseline: Training, lrs: Sequence[float], weight_decays: Sequence[float], seeds: Sequence[int]
) -> dict[Setting, list[Training]]:
    """The trainings of each setting, one for each seed.

    Args:
        baseline: Its ``work_dir`` is the folder for all trainings.
        lrs: Learning rates.
        weight_decays: Weight decays.
        seeds: Seeds.

    Raises:
        ValueError: A value is given twice.
    """
    for name, values in (('lr', lrs), ('weight decay', weight_decays), ('seed', seeds)):
        if len(set(values)) < len(values):
            raise ValueError(f'a {name} is given twice: {list(values)}')
    return {
        setting: [
            replace(
                baseline,
                seed=seed,
                work_dir=baseline.work_dir / f'{baseline.config.stem}_{setting}_seed{seed}',
                options=(*baseline.options, *setting.options),
            )
            for seed in seeds
        ]
        for setting in map(Setting._make, product(lrs, weight_decays))
    }


def score_setting(setting: Setting, runs: Sequence[Run], metric: str) -> Score:
    """The metric on D_v of the finished runs of a setting, one for each seed.

    Raises:
        ValueError: A run has no such metric on D_v, or not in its last epoch.
    """
    curves = [curve(run.all_validation, metric, run.directory) for run in runs]
    for run, values in zip(runs, curves, strict=True):
        if run.epochs not in values:
            raise ValueError(f'{run.directory} has no {metric!r} on D_v in epoch {run.epochs}')
    return Score(
        setting,
        mean_interval([values[run.epochs] for run, values in zip(runs, curves, strict=True)]),
        mean_interval([values[first_best(values)] for values in curves]),
    )


def best_setting(scores: Sequence[Score], by: str) -> Setting:
    """The setting with the highest mean; the first of equal ones. Diverged ones are behind all.

    Args:
        scores: Of all settings.
        by: ``last`` or ``best``: the epoch whose metric counts.
    """
    return max(scores, key=lambda score: nan_is_worst(getattr(score, by).mean)).setting


def edges(setting: Setting, scores: Sequence[Score]) -> Iterator[str]:
    """A sentence for each value that is the least or the largest of several that were tried."""
    for name in Setting._fields:
        tried = sorted({getattr(score.setting, name) for score in scores})
        value = getattr(setting, name)
        if len(tried) > 1 and value == tried[0]:
            yield f'{name} {value:g} is the smallest that was tried: try smaller ones too'
        if len(tried) > 1 and value == tried[-1]:
            yield f'{name} {value:g} is the largest that was tried: try larger ones too'


def tabulate_scores(scores: Sequence[Score]) -> str:
    """A Markdown table of the scores."""
    lines: list[list[object]] = [
        ['lr', 'weight decay', 'last epoch', 'best epoch', 'seeds'],
        ['---'] * 5,
    ]
    for (lr, weight_decay), last, best in scores:
        lines.append([f'{lr:g}', f'{weight_decay:g}', last, best, last.n])
    return '\n'.join('| ' + ' | '.join(map(str, line)) + ' |' for line in lines)
