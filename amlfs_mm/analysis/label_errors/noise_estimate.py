"""How many training labels are wrong, and which class is labelled as which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .predictions import Predictions

RESAMPLES = 200
MOST_CLASSES = 100
"""With more classes than this, the model's errors on D_v are not taken off."""

Pairs = dict[tuple[int, int], float]
"""Number of samples by (given label, estimated label)."""


@dataclass(frozen=True)
class NoiseEstimate:
    """How many of N training labels are wrong.

    Attributes:
        total: N.
        wrong: The estimated number of wrong labels.
        low: The lower end of the 95 % interval.
        high: The upper end.
        pairs: The estimated number of samples by (given label, true label), where they differ; the
            off-diagonal part of the joint distribution, times N.
        agreement: The share of training samples whose most probable class is their label.
        accuracy: The same on D_v; None if D_v has other classes, such as other identities.
    """

    total: int
    wrong: float
    low: float
    high: float
    pairs: Pairs
    agreement: float
    accuracy: float | None

    @property
    def learned_by_heart(self) -> bool:
        """Whether the model agrees with its training labels more than with those of D_v.

        It has then learned them by heart, wrong ones too, or few are wrong. The estimate and the
        ranking can see only wrong labels that the model has not learned.
        """
        return self.accuracy is not None and self.agreement > self.accuracy + 0.02


def estimate_noise(
    train: Predictions, val: Predictions | None = None, seed: int = 0
) -> NoiseEstimate:
    """Estimate the number of wrong labels, with a 95 % interval.

    The estimate is that of the calibrated confident joint (Northcutt et al., JAIR 2021, section
    3.1), on the model's own training samples. It counts a right label as wrong where the model is
    sure of another class by mistake. The lower end of the interval takes such mistakes off, as many
    as the model makes on D_v: it fits ``P(given, true)`` in ``P(given, predicted) = sum over true
    of P(given, true) P(predicted | true)`` by maximum likelihood. Without D_v it counts only the
    samples that are confidently of another class. The upper end counts every disagreement of model
    and label. Both ends are widened by the bootstrap over samples.

    The interval assumes that the model has not learned wrong labels by heart, and that the labels
    of D_v are right.

    Args:
        train: Predictions on the training samples.
        val: Predictions on D_v, if D_v has the same classes.
        seed: Of the bootstrap.
    """
    draw = np.random.default_rng(seed)
    confident = confident_classes(train)
    pairs = confident_pairs(train, confident)
    wrong = sum(pairs.values())
    count = len(train)
    rows = [draw.integers(count, size=count) for _ in range(RESAMPLES)]
    high = np.quantile([(train.given[r] != train.suggested[r]).sum() for r in rows], 0.975)
    if val is not None and train.num_classes <= MOST_CLASSES:
        low = count * np.quantile(resampled_shares(train, val, rows, draw), 0.025)
    else:
        sure = (confident >= 0) & (confident != train.given)
        low = np.quantile([sure[r].sum() for r in rows], 0.025)
    return NoiseEstimate(
        total=count,
        wrong=float(wrong),
        low=float(np.clip(low, 0, wrong)),
        high=float(max(high, wrong)),
        pairs=pairs,
        agreement=float((train.given == train.suggested).mean()),
        accuracy=None if val is None else float((val.given == val.suggested).mean()),
    )


def resampled_shares(
    train: Predictions, val: Predictions, rows: list[NDArray], draw: np.random.Generator
) -> NDArray[np.float64]:
    """(R,) The corrected share of wrong labels in R bootstrap samples of training data and D_v.

    A fit finds a few wrong labels by chance where there is none. What it finds in D_v itself, in
    independent resamples, is subtracted.
    """
    size = train.num_classes
    observed = np.stack([count_matrix(train.given[r], train.suggested[r], size) for r in rows])

    def resample_val() -> NDArray[np.float64]:
        columns = [draw.integers(len(val), size=len(val)) for _ in rows]
        return np.stack([count_matrix(val.given[c], val.suggested[c], size) for c in columns])

    confusion = resample_val()
    return corrected_share(observed, confusion) - corrected_share(resample_val(), confusion)


def confident_classes(predictions: Predictions) -> NDArray[np.int64]:
    """The class of which the model is confident, for each of N samples; -1 if of none.

    It is the most probable one of the classes whose probability reaches the class's threshold: the
    mean probability of that class over the samples that have it as their label. A class that no
    sample has as its label has no threshold, and is never the confident one.
    """
    given, count = predictions.given, predictions.num_classes
    members = np.bincount(given, minlength=count)
    total = np.bincount(given, weights=predictions.probability, minlength=count)
    threshold = np.where(members > 0, total / np.maximum(members, 1), np.inf)
    # A mean of equal numbers is rounded, perhaps upwards.
    reached = predictions.top_probability >= threshold[predictions.top] - 1e-6
    first = reached.argmax(axis=1)
    chosen = predictions.top[np.arange(len(given)), first]
    return np.where(reached.any(axis=1), chosen, -1).astype(np.int64)


def confident_pairs(predictions: Predictions, confident: NDArray[np.int64]) -> Pairs:
    """The calibrated confident joint without its diagonal, in numbers of samples.

    Each given class's row is scaled so that its sum is the number of samples with that label.
    """
    count = predictions.num_classes
    members = np.bincount(predictions.given, minlength=count)
    sure = confident >= 0
    keys, numbers = np.unique(
        predictions.given[sure].astype(np.int64) * count + confident[sure], return_counts=True
    )
    rows, columns = np.divmod(keys, count)
    on_diagonal = np.zeros(count)
    on_diagonal[rows[rows == columns]] = numbers[rows == columns]
    others = rows != columns
    off_diagonal = np.bincount(rows[others], weights=numbers[others], minlength=count)
    # As cleanlab has it: a class counts itself at least once.
    scale = members / (np.maximum(on_diagonal, 1) + off_diagonal)
    return {
        (int(row), int(column)): float(number * scale[row])
        for row, column, number in zip(rows[others], columns[others], numbers[others], strict=True)
    }


def corrected_share(
    observed: NDArray[np.float64], confusion: NDArray[np.float64], steps: int = 200
) -> NDArray[np.float64]:
    """The share of wrong labels, with the model's errors on D_v taken off.

    Args:
        observed: (..., C, C) Training samples by given label and the model's class.
        confusion: (..., C, C) Samples of D_v by label and the model's class.
        steps: Of expectation maximisation, from a uniform start.
    """
    size = observed.shape[-1]
    observed = observed / observed.sum((-2, -1), keepdims=True)
    confusion = confusion + 1 / size
    confusion /= confusion.sum(-1, keepdims=True)
    joint = np.full(observed.shape, 1 / size**2)
    for _ in range(steps):
        explained = joint @ confusion
        joint *= (observed / np.maximum(explained, 1e-300)) @ confusion.swapaxes(-1, -2)
    return 1 - np.trace(joint, axis1=-2, axis2=-1)


def count_matrix(rows: NDArray, columns: NDArray, size: int) -> NDArray[np.float64]:
    """(size, size) How often each row and column occur together."""
    keys = rows.astype(np.int64) * size + columns
    return np.bincount(keys, minlength=size * size).reshape(size, size).astype(np.float64)
