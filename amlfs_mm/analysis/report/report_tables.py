"""The tables of a report, as rows of values that are ready to print."""

from __future__ import annotations

import torch

from amlfs_mm.engine.history.log import digits_of, rewards_of, summarise

from ..benchmark.statistics import Mean, mean_interval
from ..runs.run import Run
from .selection_bias import last_on_validation, lead_of_winner, optimism


def describe_run(run: Run, metric: str | None) -> dict[str, object]:
    """Work dir, seed, finished epochs and results of a run."""
    last = last_on_validation(run, metric)
    undone = [r for r in run.records if r.get('lineage', {}).get('went_back_to') is not None]
    return dict(
        directory=run.directory,
        seed=run.seed,
        epochs=run.epochs,
        last='' if last is None else f'{last:.{digits_of(last)}f}',
        test=', '.join(f'{key} {value:.2f}' for key, value in run.test.items()) or 'not tested',
        kept='' if run.kept is None else str(run.kept),
        returns=f'{len(undone)} of {len(run.records)}' if has(run, 'lineage') else '',
    )


def has(run: Run, part: str) -> bool:
    """Whether the records of a run have an optional part, ``control`` or ``lineage``."""
    return any(part in record for record in run.records)


def estimate_bias(runs: list[Run], metric: str | None) -> list[Mean | None]:
    """Means over runs of five values that show how optimistic the choice of winners is.

    These are the metric on D_v, on the test data, and their difference (all of the last epoch's
    model), the winner's lead, and the lead to expect by chance; see :func:`lead_of_winner`. A value
    that no run has is None.
    """

    def mean(values: list[float | None]) -> Mean | None:
        known = [value for value in values if value is not None]
        return mean_interval(known) if known else None

    leads = [lead for run in runs if (lead := lead_of_winner(run)) is not None]
    return [
        mean([last_on_validation(run, metric) for run in runs]),
        mean([run.test.get(metric) if metric else None for run in runs]),
        mean([optimism(run, metric) for run in runs]),
        mean([observed for observed, _ in leads]),
        mean([chance for _, chance in leads]),
    ]


def tabulate_epochs(run: Run) -> list[dict[str, object]]:
    """A row for each round of a search; for another run, one for each validation."""
    if not run.records:
        return [
            {'epoch': epoch, **{key: f'{value:.2f}' for key, value in metrics.items()}}
            for epoch, metrics in sorted(run.validation.items())
        ]
    mu_0 = torch.tensor(run.records[0]['mu_before'])
    rows = []
    for record in run.records:
        reward = rewards_of(record)
        summary = summarise(reward)
        digits = digits_of(summary['best'])
        more: dict[str, object] = {}
        if has(run, 'control'):  # the same columns in all rows, also in those of a warm-up
            control = record.get('control', {}).get('reward')
            more['control'] = '' if control is None else f'{control:.{digits}f}'
        if has(run, 'lineage'):
            lineage = record['lineage']
            more['started from'] = lineage['started_from']
            more['went back to'] = lineage['went_back_to'] or ''
        rows.append(
            {
                'epoch': record['epoch'],
                'candidates': len(reward),
                'diverged': int(reward.isnan().sum()),
                'winner': '' if record['best'] is None else record['best'],
                **{f'{key} reward': f'{value:.{digits}f}' for key, value in summary.items()},
                **more,
                '|mu - mu_0|': f'{(torch.tensor(record["mu"]) - mu_0).norm():.3f}',
            }
        )
    return rows
