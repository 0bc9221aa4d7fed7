"""Drawn pedestrians in Market-1501's layout: re-identification data that fit anywhere."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from amlfs_mm.utils.paths import user_path

from .synthetic_people import HEIGHT, WIDTH, Look, draw_camera, draw_image, draw_look

NUM_CAMERAS = 6
MAX_IDENTITY = 1501  # the largest of Market-1501


def write_market(
    data_root: str | Path,
    train_identities: int = 120,
    test_identities: int = 120,
    images_per_camera: int = 3,
    distractors: int = 200,
    junk: int = 50,
    seed: int = 0,
) -> Path:
    """Write ``<data_root>/market1501/Market-1501-v15.09.15``, as torchreid and we read it.

    An identity is seen by two to six cameras, with one to ``images_per_camera`` images each. As in
    Market-1501 a test identity has one query in each camera with two images of it or more. Its
    other images are in ``bounding_box_test``, with the distractors (``0000``) and junk (``-1``:
    boxes that miss the person). The same arguments give the same files.

    Args:
        data_root: The folder for ``market1501``; it must not hold a data set already.
        train_identities: How many are in ``bounding_box_train``.
        test_identities: How many others are in ``query`` and ``bounding_box_test``.
        images_per_camera: The largest number of images of an identity by a camera, 2 or more.
        distractors: How many images of people who match no query.
        junk: How many images that do not count.
        seed: The seed of all draws.

    Raises:
        ValueError: There are fewer than two identities in a part, more than 1,501 together, or
            fewer than two images a camera.
        FileExistsError: The data set is there already.
    """
    total = train_identities + test_identities
    if train_identities < 2 or test_identities < 2 or total > MAX_IDENTITY or images_per_camera < 2:
        raise ValueError(
            f'needed: two identities or more in each part, {MAX_IDENTITY} together at most, and '
            f'two images a camera or more; got {train_identities}, {test_identities} and '
            f'{images_per_camera}'
        )
    folder = user_path(data_root) / 'market1501' / 'Market-1501-v15.09.15'
    if folder.exists():
        raise FileExistsError(f'{folder} exists: remove it, or choose another data root')
    for part in ('bounding_box_train', 'bounding_box_test', 'query'):
        (folder / part).mkdir(parents=True)
    draw = np.random.default_rng(seed)
    cameras = [draw_camera(draw) for _ in range(NUM_CAMERAS)]
    frame = 0

    def shoot(part: str, identity: int, look: Look, camera: int, spoil: bool = False) -> None:
        nonlocal frame
        frame += 1
        image = draw_image(look, cameras[camera], draw)
        if spoil:  # the box holds a corner of the person
            image = cv2.resize(image[HEIGHT * 2 // 3 :, : WIDTH // 2], (WIDTH, HEIGHT))
        name = f'{identity:04d}' if identity >= 0 else '-1'
        path = folder / part / f'{name}_c{camera + 1}s1_{frame:06d}_00.jpg'
        if not cv2.imwrite(str(path), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92]):
            raise OSError(f'cannot write {path}')

    for identity in range(1, total + 1):
        look = draw_look(draw)
        seen_by = draw.permutation(NUM_CAMERAS)[: draw.integers(2, NUM_CAMERAS + 1)]
        for camera in sorted(seen_by):
            # The first camera has two images or more, so that each identity has a query.
            least = 2 if camera == min(seen_by) else 1
            for shot in range(draw.integers(least, images_per_camera + 1)):
                if identity <= train_identities:
                    shoot('bounding_box_train', identity, look, camera)
                else:
                    shoot('query' if shot == 1 else 'bounding_box_test', identity, look, camera)
    for _ in range(distractors):
        shoot('bounding_box_test', 0, draw_look(draw), draw.integers(NUM_CAMERAS))
    for _ in range(junk):
        shoot('bounding_box_test', -1, draw_look(draw), draw.integers(NUM_CAMERAS), spoil=True)
    return folder
