"""``loss_search.jsonl`` read back and checked: no plot or table comes from a damaged history."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

KEYS = (
    'epoch',
    'first_epoch',
    'warmup',
    'mu_before',
    'mu',
    'theta',
    'reward',
    'advantage',
    'best',
    'interval_share',
)


def read_records(path: str | Path) -> list[dict]:
    """The rounds in a ``loss_search.jsonl``, a dict each, as ``SearchHistory.record`` has them.

    Raises:
        ValueError: The file is empty, cut short, or no history of a search. The message names the
            file, the line and the reason.
    """
    return check_records(read_json_lines(path), path)


def read_json_lines(path: str | Path, last_may_be_cut: bool = False) -> list[dict]:
    """The JSON object of each line of a file.

    Args:
        path: Of the file.
        last_may_be_cut: Leave out the last line if it is cut short.

    Raises:
        ValueError: A line is no JSON object; the message names the file and the line.
    """
    values = []
    lines = Path(path).read_bytes().splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            value = json.loads(line)
        except ValueError as error:
            if last_may_be_cut and number == len(lines):
                break
            raise ValueError(f'{path}, line {number}, is no JSON: {error}') from error
        if not isinstance(value, dict):
            raise ValueError(f'{path}, line {number}, is no JSON object')
        values.append(value)
    return values


def check_records(records: list[dict], source: str | Path) -> list[dict]:
    """Records are the history of one search, from its first epoch on; they are returned.

    Args:
        records: One per round.
        source: The file that they come from, for messages.

    Raises:
        ValueError: A round is missing or damaged; the message names the file, the round and the
            reason.
    """
    if not records:
        raise ValueError(f'{source} holds no round of a search')
    next_epoch, dim = 1, None
    for number, record in enumerate(records, start=1):
        problem = find_problem(record, next_epoch, dim)
        if problem:
            raise ValueError(
                f'{source}, round {number}: {problem}. Expected is the history of one search, as '
                'LossSearchHook writes it into loss_search.jsonl'
            )
        next_epoch, dim = record['epoch'] + 1, len(record['mu'])
    return records


def find_problem(record: dict, first_epoch: int, dim: int | None) -> str | None:
    """What is wrong with a record, or None.

    Args:
        record: Of one round.
        first_epoch: The epoch, from 1, with which the round has to start.
        dim: Length D of theta in the rounds before; None in the first round.
    """
    if missing := [key for key in KEYS if key not in record]:
        return f'it has no {missing}'
    if record['first_epoch'] != first_epoch:
        return f'it starts with epoch {record["first_epoch"]!r}, after epoch {first_epoch - 1}'
    if not isinstance(record['epoch'], int) or record['epoch'] < first_epoch:
        return f'its last epoch is {record["epoch"]!r}, its first one {first_epoch}'

    theta, reward = record['theta'], record['reward']
    if not isinstance(theta, list) or not theta:
        return 'it has no candidates (theta)'
    size = len(record['mu']) if dim is None and isinstance(record['mu'], list) else dim
    for key, vector in [('mu_before', record['mu_before']), ('mu', record['mu'])] + [
        (f'theta of candidate {i}', row) for i, row in enumerate(theta)
    ]:
        if not _are_numbers(vector) or len(vector) != size:
            return f'{key} is no list of {size} finite numbers'
    for key in ('reward', 'advantage'):
        values = record[key]
        if not isinstance(values, list) or len(values) != len(theta):
            return f'{key} does not have a value for each of the {len(theta)} candidates'
    if not _are_numbers([value for value in reward if value is not None]):
        return 'a reward is neither a finite number nor null'
    if not _are_numbers(record['advantage']):
        return 'an advantage is no finite number'
    best = record['best']
    if best is not None and (best not in range(len(theta)) or reward[best] is None):
        return f'its winner (best) is {best!r}, which is no candidate with a reward'
    shares = record['interval_share']
    if not isinstance(shares, dict) or not all(map(_are_numbers, shares.values())):
        return 'interval_share does not hold lists of numbers'
    return find_optional_problem(record)


def find_optional_problem(record: dict) -> str | None:
    """What is wrong with the parts of a record that only some searches have, or None."""
    if 'control' in record:
        control = record['control']
        reward = control.get('reward', math.nan) if isinstance(control, dict) else math.nan
        if reward is not None and not _are_numbers([reward]):
            return 'the reward of its control is neither a finite number nor null'
    if 'lineage' in record:
        lineage, epoch = record['lineage'], record['epoch']
        known = isinstance(lineage, dict) and {'started_from', 'went_back_to'} <= set(lineage)
        if not known or lineage['started_from'] not in range(record['first_epoch']):
            return 'lineage has no earlier epoch from which the round started'
        if lineage['went_back_to'] is not None and lineage['went_back_to'] not in range(1, epoch):
            return f'it went back to {lineage["went_back_to"]!r}, which is no earlier epoch'
    return None


def _are_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, (int, float)) and math.isfinite(value) for value in values
    )
