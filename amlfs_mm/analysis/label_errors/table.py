"""``label_errors.csv``: a line for each training sample, the most doubtful one first."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amlfs_mm.utils.atomic_files import atomic_write

from .predictions import Predictions
from .training_data import JudgedSamples


@dataclass(frozen=True)
class LabelDoubt:
    """A training sample, and what the model says about its label.

    Attributes:
        index: The sample's position in its source data set, before any subset or fold.
        path: Of its image, as the data set says it; empty if it does not say.
        given: The label that the run trained with.
        suggested: The model's most probable class.
        p: The probability of the given label.
        weight: The mean weight of the sample under the winners of the last epochs; 1 without a
            search.
        rank: 1 is the most doubtful.
        number: The sample's number in :class:`JudgedSamples`; not in the file.
    """

    index: int
    path: str
    given: int
    suggested: int
    p: float
    weight: float
    rank: int
    number: int


COLUMNS = ('index', 'path', 'given', 'suggested', 'p', 'weight', 'rank')


def tabulate_doubts(
    samples: JudgedSamples, predictions: Predictions, ranks: NDArray[np.int64]
) -> list[LabelDoubt]:
    """The samples by their rank."""
    return [
        LabelDoubt(
            index=samples.positions[number],
            path=samples.path(number),
            given=int(predictions.given[number]),
            suggested=int(predictions.suggested[number]),
            p=float(predictions.probability[number]),
            weight=float(predictions.weight[number]),
            rank=int(ranks[number]),
            number=int(number),
        )
        for number in np.argsort(ranks)
    ]


def write_table(path: Path, doubts: list[LabelDoubt]) -> None:
    """Write the table; a file that was there is replaced whole."""
    with atomic_write(path) as temporary, open(temporary, 'w', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(COLUMNS)
        for doubt in doubts:
            labels = (doubt.index, doubt.path, doubt.given, doubt.suggested)
            writer.writerow([*labels, f'{doubt.p:.6g}', f'{doubt.weight:.6g}', doubt.rank])
