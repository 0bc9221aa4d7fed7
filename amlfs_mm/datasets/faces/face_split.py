"""D_v of a face search: training identities held out, as probes and a gallery."""

from __future__ import annotations

import numpy as np

from amlfs_mm.utils.randomness import derive_seed

from ..held_out import draw_held_out

ROLES = ('train', 'probe', 'gallery')
TRAIN, PROBE, GALLERY = range(3)


def hold_out_faces(identities: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Which images are held out (N,) bool: all images of the identities that the seed draws.

    Only identities with two images or more are drawn: a probe needs an image of its identity in the
    gallery.

    Args:
        identities: Each image's identity (N,).
        share: The share of all identities to hold out, in (0, 1).
        seed: The seed of the draw.

    Raises:
        ValueError: As in :func:`.held_out.draw_held_out`.
    """
    numbers, counts = np.unique(identities, return_counts=True)
    usable = numbers[counts > 1].tolist()
    lack = 'have one image only, so that no image of theirs would be left for the gallery'
    return np.isin(identities, list(draw_held_out(usable, len(numbers), share, seed, lack)))


def split_probes_gallery(identities: np.ndarray, seed: int) -> np.ndarray:
    """Each image's role (N,), an index into ``ROLES``: closed-set identification.

    The gallery has one image of every identity, drawn by the seed. All others are probes. So rank-1
    is the share of probes whose most similar gallery image is that of their own identity.

    Args:
        identities: Each image's identity (N,).
        seed: The seed of the draw.

    Raises:
        ValueError: No identity has a second image.
    """
    roles = np.full(len(identities), PROBE)
    numbers, first, counts = np.unique(np.sort(identities), return_index=True, return_counts=True)
    order = np.argsort(identities, kind='stable')
    for number, start, count in zip(numbers.tolist(), first, counts, strict=True):
        # Seeded with the identity's number: other identities do not change which image is drawn.
        draw = np.random.default_rng(derive_seed(seed, number))
        roles[order[start + draw.integers(count)]] = GALLERY
    if not (roles == PROBE).any():
        raise ValueError(
            f'none of the {len(numbers)} identities has a second image: there is no probe to find '
            'in the gallery'
        )
    return roles
