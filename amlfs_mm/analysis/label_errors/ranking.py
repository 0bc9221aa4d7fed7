"""Training samples in the order in which their labels are doubtful."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amlfs_mm.utils.optional_imports import needs_extra

from .predictions import Predictions

METHODS = ('p', 'weight', 'cleanlab')


def rank_samples(predictions: Predictions, method: str = 'p') -> NDArray[np.int64]:
    """The rank (N,) of each sample; 1 is the most doubtful.

    Args:
        predictions: Of the training samples; ``cleanlab`` needs the probabilities of all classes.
        method: ``p``: by the probability of the given label, the lowest first. ``weight``: by the
            mean weight under the winners, the lowest first; equal ones by the probability.
            ``cleanlab``: by cleanlab's normalized margin on the same probabilities.

    Raises:
        ImportError: cleanlab is not installed.
        ValueError: There is no such method.
    """
    if method not in METHODS:
        raise ValueError(f'method must be one of {list(METHODS)}, got {method!r}')
    if method == 'cleanlab':
        order = np.lexsort([predictions.probability, cleanlab_quality(predictions)])
    elif method == 'weight':
        order = np.lexsort([predictions.probability, predictions.weight])
    else:
        order = np.argsort(predictions.probability, kind='stable')
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(1, len(order) + 1)
    return ranks


def cleanlab_quality(predictions: Predictions) -> NDArray[np.float64]:
    """cleanlab's label quality score (N,) in [0, 1], the normalized margin; 0 is a wrong label."""
    with needs_extra('labels', '--method cleanlab'):
        from cleanlab.rank import get_label_quality_scores
    if predictions.every is None:
        raise ValueError('cleanlab needs the probabilities of all classes: judge with keep_all')
    return get_label_quality_scores(
        predictions.given, predictions.every, method='normalized_margin'
    )
