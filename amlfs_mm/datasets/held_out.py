"""Which training identities or images are held out as D_v; a seed fixes the choice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from amlfs_mm.utils.randomness import derive_seed

PARTS = ('train', 'val', 'test')


def check_part(part: str, held_out: float) -> None:
    """A part is one of train, val and test, and ``val`` has identities.

    Raises:
        ValueError: There is no such part, the share is outside [0, 1), or ``val`` is empty.

    When:
        A data set is built.
    """
    if part not in PARTS:
        raise ValueError(f'part must be one of {list(PARTS)}, got {part!r}')
    check_share(held_out)
    if part == 'val' and held_out == 0:
        raise ValueError(
            "held_out=0 leaves no D_v: set held_out above 0, or validate on part='test' knowingly"
        )


def check_share(held_out: float) -> None:
    """A share to hold out leaves something to train with.

    Raises:
        ValueError: The share is outside [0, 1).

    When:
        A data set is built.
    """
    if not 0 <= held_out < 1:
        raise ValueError(f'held_out is a share in [0, 1), got {held_out}')


def hold_out_of_each_class(labels: Sequence[int], share: float, seed: int) -> list[bool]:
    """Draw D_v from the images of a classification data set: a share of each class.

    Of a class with two images or more at least one is drawn, and at least one is left.

    Args:
        labels: The class of each image.
        share: The share to hold out, in (0, 1).
        seed: The seed of the draw. The draw of one class does not depend on the other classes.

    Returns:
        Whether each image is held out.

    Raises:
        ValueError: No class has two images.
    """
    classes = np.asarray(labels)
    apart = np.zeros(len(classes), dtype=bool)
    for label in np.unique(classes).tolist():
        images = np.flatnonzero(classes == label)
        count = min(max(round(share * len(images)), 1), len(images) - 1)
        draw = np.random.default_rng(derive_seed(seed, label))
        apart[draw.choice(images, count, replace=False)] = True
    if not apart.any():
        raise ValueError(
            f'held_out={share} of {len(classes)} images leaves no D_v, because no class has two '
            'images: add images'
        )
    return apart.tolist()


def draw_held_out(
    usable: Sequence[int], total: int, share: float, seed: int, lack: str
) -> set[int]:
    """Draw the identities of D_v: a share of all training identities, among those that fit.

    Args:
        usable: Identities that can be held out, ascending.
        total: How many identities there are, with those that cannot be held out.
        share: The share of all identities to hold out, in (0, 1).
        seed: The seed of the draw.
        lack: Why the others cannot be held out, for the error: 'are seen by one camera only, ...'.

    Raises:
        ValueError: The share is less than one identity, leaves fewer than two to train with, or is
            more than can be held out.
    """
    wanted = round(share * total)
    if wanted < 1 or total - wanted < 2:
        raise ValueError(
            f'held_out={share} of {total} training identities is {wanted}: D_v needs one at '
            'least, and training two'
        )
    if len(usable) < wanted:
        raise ValueError(
            f'held_out={share} of {total} training identities is {wanted}, but only {len(usable)} '
            f'can be in D_v; {total - len(usable)} {lack}: lower held_out'
        )
    drawn = np.random.default_rng(seed).choice(usable, wanted, replace=False)
    return set(drawn.tolist())
