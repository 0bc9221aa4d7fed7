"""Which rounds led to a model, by hand and by following every round's start."""

import random

import pytest

from amlfs_mm.engine.history.lineage import epoch_of_model, epochs_of_lineage, record_of_model


def rounds(*rows: tuple) -> list[dict]:
    """(winner or None, went back to or None) of rounds of 2 epochs each; a bare winner: no key."""
    records = []
    for number, row in enumerate(rows, start=1):
        record = dict(epoch=2 * number, best=row[0])
        if len(row) > 1:
            record['lineage'] = dict(started_from=epoch_of_model(records), went_back_to=row[1])
        records.append(record)
    return records


@pytest.mark.parametrize(
    ('rows', 'model', 'lineage'),
    [
        ([], 0, set()),
        ([(0,), (1,), (0,)], 6, {2, 4, 6}),
        ([(0,), (None,), (1,), (None,)], 6, {2, 6}),
        ([(None,)], 0, set()),
        ([(0, None), (1, 2), (1, 2), (0, None)], 8, {2, 8}),
        ([(0, None), (1, None), (1, 2)], 2, {2}),
        ([(0, None), (1, None), (None, 2), (3, None), (None, None)], 8, {2, 8}),
        ([(0, None), (0, None), (0, None), (0, 4), (0, None), (0, 10)], 10, {2, 4, 10}),
    ],
)
def test_by_hand(rows: list, model: int, lineage: set):
    records = rounds(*rows)
    assert epoch_of_model(records) == model
    assert epochs_of_lineage(records) == lineage
    found = record_of_model(records)
    assert (0 if found is None else found['epoch']) == model


def test_models_that_are_lists_of_the_rounds_that_trained_them():
    draw = random.Random(0)
    for _ in range(100):
        records, models, present = [], {0: []}, []
        for epoch in range(1, 20):
            lost = draw.random() < 0.2
            started_from = epoch_of_model(records)
            assert models[started_from] == present
            if not lost:
                present = [*present, epoch]
                models[epoch] = present
            earlier = [e for e in models if 0 < e < epoch]
            back_to = draw.choice(earlier) if earlier and draw.random() < 0.3 else None
            if back_to is not None:
                present = models[back_to]
            lineage = dict(started_from=started_from, went_back_to=back_to)
            records.append(dict(epoch=epoch, best=None if lost else 0, lineage=lineage))
            assert epochs_of_lineage(records) == set(present)
