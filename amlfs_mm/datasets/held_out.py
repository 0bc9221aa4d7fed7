"""Which training identities are held out as D_v; a seed fixes the choice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

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
    if not 0 <= held_out < 1:
        raise ValueError(f'held_out is a share in [0, 1), got {held_out}')
    if part == 'val' and held_out == 0:
        raise ValueError(
            "held_out=0 leaves no D_v: set held_out above 0, or validate on part='test' knowingly"
        )


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
