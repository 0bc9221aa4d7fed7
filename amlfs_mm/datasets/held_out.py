"""Which training identities are held out as D_v, fixed by a seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PARTS = ('train', 'val', 'test')


def check_part(part: str, held_out: float) -> None:
    """Refuse a part of a data set that does not exist with this share of held-out identities.

    Raises:
        ValueError: No such part, no such share, or a D_v (``val``) of no identities.
    """
    if part not in PARTS:
        raise ValueError(f'part must be one of {list(PARTS)}, got {part!r}')
    if not 0 <= held_out < 1:
        raise ValueError(f'held_out is a share in [0, 1), got {held_out}')
    if part == 'val' and held_out == 0:
        raise ValueError(
            "held_out=0 leaves no D_v: hold identities out, or validate on part='test' knowingly"
        )


def draw_held_out(
    usable: Sequence[int], total: int, share: float, seed: int, lack: str
) -> set[int]:
    """Draw a share of all training identities among those that can be in D_v.

    Args:
        usable: Identities that can be held out, ascending.
        total: How many there are, with those that cannot.
        share: Of all, in (0, 1).
        seed: Of the draw.
        lack: Why the others cannot, for the error: 'are seen by one camera only, ...'.

    Raises:
        ValueError: The share holds out no identity or leaves fewer than two to train with, or too
            few can be held out.
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
