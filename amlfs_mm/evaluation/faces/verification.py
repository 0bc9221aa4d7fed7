"""Face verification: are two images of one person? (LFW, Huang et al., 2007, and sets like it.)

A pair is accepted if the squared Euclidean distance of its unit features, in [0, 4], is below a
threshold. Accuracy is the mean over folds of consecutive pairs. Each fold takes the threshold that
is best on the other folds; of equally good ones, the lowest. Thresholds are those of insightface's
grid, so the numbers are those of insightface's ``verification.py``.

Shapes: P pairs, D numbers a feature.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

THRESHOLDS = np.arange(0, 4, 0.01)
"""insightface's grid of squared distances."""

Flags = Sequence[bool] | np.ndarray | Tensor
"""One flag a pair."""


def verification_accuracy(
    features_a: np.ndarray | Tensor,
    features_b: np.ndarray | Tensor,
    is_same: Flags,
    folds: int = 10,
) -> dict[str, float]:
    """The share of pairs that are classified correctly, by cross-validation.

    Args:
        features_a: (P, D), an array or a tensor on any device, of any length.
        features_b: (P, D), the other image of each pair. Where a model looks at mirror images too,
            the features are sums of both.
        is_same: (P,) whether a pair shows one person.
        folds: Number of folds of consecutive pairs. If it does not divide P, the first folds have
            one pair more.

    Returns:
        ``accuracy`` and ``accuracy_std``, the mean and the population standard deviation over the
        folds, in percent; ``threshold``, the mean of the folds' thresholds, a squared distance.

    Raises:
        ValueError: A shape does not fit, a feature is not finite, or there are fewer than two
            folds or fewer pairs than folds.
    """
    distance, same = _compare(features_a, features_b, is_same)
    if not 2 <= folds <= len(same):
        raise ValueError(
            f'folds={folds} of {len(same)} pairs: there are two folds at least, of one pair or more'
        )
    # A pair is accepted from the first threshold above its distance on.
    accepted_from = np.searchsorted(THRESHOLDS, distance, side='right')
    right = [
        _right_at_thresholds(accepted_from[fold], same[fold])
        for fold in np.array_split(np.arange(len(same)), folds)
    ]
    best = [int(np.argmax(np.sum(right, axis=0) - own)) for own in right]
    sizes = [len(fold) for fold in np.array_split(same, folds)]
    correct = [own[threshold] for own, threshold in zip(right, best, strict=True)]
    accuracies = 100 * np.array(correct) / sizes
    return dict(
        accuracy=float(accuracies.mean()),
        accuracy_std=float(accuracies.std()),
        threshold=float(THRESHOLDS[best].mean()),
    )


def true_accept_rates(
    features_a: np.ndarray | Tensor,
    features_b: np.ndarray | Tensor,
    is_same: Flags,
    false_accept_rates: Sequence[float] = (1e-3,),
) -> dict[str, float]:
    """TAR@FAR: the share of same pairs accepted, at a given share of different pairs, in percent.

    The threshold is the highest that accepts at most the given share of the different pairs. It is
    found on all pairs, without interpolation. If the share is less than one pair, no different
    pair is accepted.

    Args:
        features_a: As in :func:`verification_accuracy`.
        features_b: The same.
        is_same: The same.
        false_accept_rates: Shares in [0, 1).

    Returns:
        ``tar_at_far_<share>`` for each, such as ``tar_at_far_0.001``.

    Raises:
        ValueError: As in :func:`verification_accuracy`; a share is out of range; or all pairs are
            of one kind.
    """
    wrong = [rate for rate in false_accept_rates if not 0 <= rate < 1]
    if wrong:
        raise ValueError(f'false accept rates are shares in [0, 1), got {wrong}')
    distance, same = _compare(features_a, features_b, is_same)
    if same.all() or not same.any():
        raise ValueError(
            f'TAR@FAR needs same and different pairs: of {len(same)} pairs {same.sum()} are same'
        )
    genuine, impostor = distance[same], np.sort(distance[~same])
    rates = {}
    for rate in false_accept_rates:
        # The next different pair would be one too many. 1e-3 of 7000 is meant to be 7.
        allowed = int(rate * len(impostor) * (1 + 1e-9))
        rates[f'tar_at_far_{rate:g}'] = 100 * float((genuine < impostor[allowed]).mean())
    return rates


def draw_pairs(
    person_ids: Sequence[int], seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of images, for persons without a published list of pairs.

    All pairs of one person and as many pairs of two persons, drawn without replacement, in random
    order.

    Args:
        person_ids: (N,) the person of each image.
        seed: Of the draw and the order.

    Returns:
        Two vectors (P,) of image numbers, and (P,) whether they show one person.

    Raises:
        ValueError: Nobody has two images, or there are fewer pairs of two people than of one.
    """
    ids = np.asarray(person_ids)
    first, second = np.triu_indices(len(ids), 1)
    is_same = ids[first] == ids[second]
    same, different = np.flatnonzero(is_same), np.flatnonzero(~is_same)
    if not 0 < len(same) <= len(different):
        raise ValueError(
            f'{len(ids)} images make {len(same)} pairs of one person and {len(different)} of two '
            'people: at least one pair of one person is needed, and not fewer of two people'
        )
    draw = np.random.default_rng(seed)
    drawn = draw.permutation(np.concatenate([same, draw.choice(different, len(same), False)]))
    return first[drawn], second[drawn], is_same[drawn]


def _right_at_thresholds(accepted_from: np.ndarray, same: np.ndarray) -> np.ndarray:
    """How many pairs each threshold (T,) classifies correctly."""
    bins = len(THRESHOLDS) + 1  # the last: never accepted
    accepted_same, accepted_different = (
        np.bincount(accepted_from[kind], minlength=bins)[:-1].cumsum() for kind in (same, ~same)
    )
    return accepted_same + (~same).sum() - accepted_different


@torch.no_grad()
def _compare(
    features_a: np.ndarray | Tensor, features_b: np.ndarray | Tensor, is_same: Flags
) -> tuple[np.ndarray, np.ndarray]:
    """Squared distances (P,) of unit features, in float64, and the flags (P,), all checked."""
    a, b = torch.as_tensor(features_a), torch.as_tensor(features_b)
    same = np.asarray(is_same.cpu() if isinstance(is_same, Tensor) else is_same)
    if a.ndim != 2 or a.shape != b.shape or 0 in a.shape:
        raise ValueError(
            'features_a and features_b must be (pairs, D) both, got '
            f'{tuple(a.shape)} and {tuple(b.shape)}'
        )
    if same.shape != (len(a),):
        raise ValueError(f'is_same has shape {same.shape}, but there are {len(a)} pairs')
    if not np.isin(same, (0, 1)).all():
        raise ValueError(f'is_same holds flags, got {sorted(set(same.tolist()) - {0, 1})}')
    for name, features in (('features_a', a), ('features_b', b)):
        bad = (~torch.isfinite(features)).any(1).nonzero()
        if len(bad):
            raise ValueError(f'{name} are not finite, first in row {int(bad[0])}')
    difference = F.normalize(a.double()) - F.normalize(b.to(a.device).double())
    return difference.square().sum(1).cpu().numpy(), same.astype(bool)
