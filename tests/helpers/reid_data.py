"""Re-identification data in the published layouts, made for a test."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from amlfs_mm.datasets.reid.synthetic.synthetic_market import write_market

MARKET = Path('market1501') / 'Market-1501-v15.09.15'
DUKE = Path('dukemtmc-reid') / 'DukeMTMC-reID'


@pytest.fixture(scope='session')
def people_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with a Market-1501 and a DukeMTMC-reID of 20 + 8 drawn identities."""
    root = tmp_path_factory.mktemp('people')
    folder = write_market(root, 20, 8, images_per_camera=2, distractors=10, junk=5, seed=3)
    for part in ('bounding_box_train', 'bounding_box_test', 'query'):
        (root / DUKE / part).mkdir(parents=True)
        for path in (folder / part).glob('*.jpg'):
            identity, camera, frame, _ = path.stem.split('_')
            if int(identity) > 0:  # Duke has neither junk nor an identity 0
                name = f'{identity}_c{camera[1]}_f{int(frame):07d}.jpg'
                (root / DUKE / part / name).write_bytes(path.read_bytes())
    return root


def write_image(path: Path, value: int = 0, size: tuple[int, int] = (8, 4)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((*size, 3), value, np.uint8))


def write_names(folder: Path, **parts: list[str]) -> None:
    """Images of these names in ``bounding_box_train``, ``bounding_box_test`` and ``query``."""
    for part, names in parts.items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        for name in names:
            write_image(folder / part / name)
