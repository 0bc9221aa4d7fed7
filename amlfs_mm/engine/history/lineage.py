"""Which rounds of a search led to a model, read from its records.

Without going back, each round starts from the winner of the round before. A record of a search that
goes back has ``lineage``: ``started_from``, the last epoch of the round whose winner it started
from (0: the start of the run), and ``went_back_to``, the same for the round after it if that is not
this one. A lost round, in which all candidates diverged, leaves the model that it started from.
"""

from __future__ import annotations

from collections.abc import Sequence


def epoch_of_model(records: Sequence[dict]) -> int:
    """The last epoch, from 1, of the round whose winner is the model after these rounds.

    It is 0 if no round has had a winner.
    """
    for record in reversed(records):
        went_back_to = record.get('lineage', {}).get('went_back_to')
        if went_back_to is not None:
            return went_back_to
        if record['best'] is not None:
            return record['epoch']
    return 0


def record_of_model(records: Sequence[dict]) -> dict | None:
    """The record of the round whose winner is the model after these rounds; None if none is."""
    epoch = epoch_of_model(records)
    return next((record for record in records if record['epoch'] == epoch), None)


def epochs_of_lineage(records: Sequence[dict]) -> set[int]:
    """The last epochs of the rounds that led to the model after these rounds."""
    found = set()
    while epoch := epoch_of_model(records):
        found.add(epoch)
        # The round started from the model after the rounds before it.
        records = [record for record in records if record['epoch'] < epoch]
    return found
