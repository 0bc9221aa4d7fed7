"""D_v of a re-identification search: training identities held out, as queries and a gallery."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from ..held_out import draw_held_out
from .reid_sources import Person


def hold_out_identities(people: list[Person], share: float, seed: int) -> set[int]:
    """The identities (numbers in ``people``) that are held out, fixed by the seed.

    Drawn among those seen by at least two cameras: a query needs a positive from another one.

    Args:
        people: The training images.
        share: Of all identities, in (0, 1).
        seed: Of the draw.

    Raises:
        ValueError: The share holds out no identity or leaves fewer than two to train with, or too
            few identities are seen by two cameras.
    """
    cameras = defaultdict(set)
    for person in people:
        cameras[person.identity].add(person.camera)
    usable = sorted(identity for identity, seen in cameras.items() if len(seen) > 1)
    return draw_held_out(
        usable,
        len(cameras),
        share,
        seed,
        lack='are seen by one camera only, so that no query of theirs has a positive',
    )


def split_query_gallery(people: list[Person], seed: int) -> tuple[list[Person], list[Person]]:
    """Images of identities seen by two cameras or more, as queries and gallery.

    As in Market-1501 an identity has one query a camera: one image, drawn by the seed, of each
    camera that has another one left for the gallery. So every query has a positive from another
    camera. An identity with one image a camera gives one query.

    Raises:
        ValueError: An identity is seen by one camera only.
    """
    groups = defaultdict(lambda: defaultdict(list))
    for person in people:
        groups[person.identity][person.camera].append(person)
    draw = np.random.default_rng(seed)
    queries = set()
    for identity in sorted(groups):
        of_camera = groups[identity]
        if len(of_camera) < 2:
            raise ValueError(
                f'identity {identity} is seen by camera {next(iter(of_camera)) + 1} only: its '
                'queries would have no positive from another camera'
            )
        asking = [camera for camera in sorted(of_camera) if len(of_camera[camera]) > 1]
        for camera in asking or [draw.choice(sorted(of_camera))]:
            queries.add(of_camera[camera][draw.integers(len(of_camera[camera]))])
    return (
        [person for person in people if person in queries],
        [person for person in people if person not in queries],
    )
