"""Which runs are of one config, and what to call it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmengine.config import Config

from .run import Run

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

NOT_GIVEN = 'not given'


def group_runs(runs: list[Run]) -> dict[str, list[Run]]:
    """Group the runs whose configs differ in the seed alone, under the config's name.

    The order of the runs is kept. If several configs have one name, the options in which they
    differ are added to it.

    Raises:
        ValueError: Two runs have the same config and the same seed, or it is not known from which
            weights a resumed run had started.
    """
    by_options = runs_by_options(runs)
    for members in by_options.values():
        seen: dict[int | None, Path] = {}
        for run in members:
            if run.seed in seen:
                raise ValueError(
                    f'{run.directory} and {seen[run.seed]} are the same config and the same seed, '
                    f'{run.seed}: give one of them'
                )
            seen[run.seed] = run.directory
    groups: dict[str, list[Run]] = {}
    for (name, _, _), members in by_options.items():
        rivals = [
            options_of(others) for (other, _, _), others in by_options.items() if other == name
        ]
        mine = options_of(members)
        keys = set(mine).union(*rivals)
        differing = sorted(
            key
            for key in keys
            if any(rival.get(key, NOT_GIVEN) != mine.get(key, NOT_GIVEN) for rival in rivals)
        )
        suffix = ', '.join(f'{key}={mine.get(key, NOT_GIVEN)}' for key in differing)
        groups[f'{name} ({suffix})' if suffix else name] = members
    return groups


def runs_by_options(runs: list[Run]) -> dict[tuple[str, str, str], list[Run]]:
    """The runs of equal options, by name, options, and the weights that they started from.

    A run that was resumed names in ``load_from`` where it went on, or nothing, and not what it had
    started from. It belongs to the runs of the same options.

    Raises:
        ValueError: These started from several weights.
    """
    settings = {}
    starts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for run in runs:
        options = flat_options(run.config)
        start = str(options.pop('load_from', None))
        key = run.name, json.dumps(options, sort_keys=True, default=str)
        settings[run.directory] = key, start
        if not run.config.get('resume') and start not in starts[key]:
            starts[key].append(start)
    found: dict[tuple[str, str, str], list[Run]] = defaultdict(list)
    for run in runs:
        key, start = settings[run.directory]
        if run.config.get('resume'):
            if len(starts[key]) > 1:
                raise ValueError(
                    f'{run.directory} was resumed, so its config does not say which weights it '
                    f'started from: {" or ".join(starts[key])}, as other runs of its options. '
                    'Leave out the runs of one start'
                )
            start = starts[key][0] if starts[key] else 'unknown'
        found[(*key, start)].append(run)
    return found


def options_of(members: list[Run]) -> dict[str, object]:
    """The settings of runs with equal options: those of one that was not resumed, if there is."""
    return flat_options(min(members, key=lambda run: bool(run.config.get('resume'))).config)


def flat_options(config: Config) -> dict[str, object]:
    """The settings of a config by dotted keys, without the seed and what changes no result."""
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
    for key in ('randomness.seed', 'train_cfg.val_interval'):  # validation changes no training
        flat.pop(key, None)
    if flat.get('load_from') is None:  # not given, and None, are the same
        flat.pop('load_from', None)
    return flat
