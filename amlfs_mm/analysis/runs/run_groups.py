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
    return flat
