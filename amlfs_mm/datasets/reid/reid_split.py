"""D_v of a re-identification search: training identities held out, as queries and a gallery."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from ..held_out import draw_held_out
from .reid_layout import Person


def hold_out_identities(people: list[Person], share: float, seed: int) -> set[int]:
    """The identities (numbers in ``people``) that are held out, as the seed draws them.

    Only those seen by two cameras or more are drawn: a query needs a positive from another camera.

    Args:
        people: The training images.
        share: The share of all identities to hold out, in (0, 1).
        seed: The seed of the draw.

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
    """Split images of identities seen by two cameras or more into queries and gallery.

    As in Market-1501 an identity has one query a camera. The seed draws it, from each camera with
    two images of the identity or more, so that one stays in the gallery. So every query has a
    positive from another camera. An identity with one image in every camera has one query.

    Args:
        people: The images.
        seed: The seed of the draw.

    Returns:
        The queries and the gallery.

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
        cameras = [camera for camera in sorted(of_camera) if len(of_camera[camera]) > 1]
        for camera in cameras or [draw.choice(sorted(of_camera))]:
            queries.add(of_camera[camera][draw.integers(len(of_camera[camera]))])
    return (
        [person for person in people if person in queries],
        [person for person in people if person not in queries],
    )
