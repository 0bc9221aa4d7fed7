"""Aligning faces by five landmarks."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.face_data import encode

from amlfs_mm.datasets.faces.face_sources import FaceFolder
from amlfs_mm.datasets.faces.preparation.face_alignment import align_face, align_folder
from amlfs_mm.datasets.faces.preparation.face_landmarks import LandmarkList

pytest.importorskip('insightface')
# SphereFace, preprocess/code/face_align_demo.m: for images of 112 x 96.
SPHEREFACE = np.array(
    [
        (30.2946, 51.6963),
        (65.5318, 51.5014),
        (48.0252, 71.7366),
        (33.5493, 92.3655),
        (62.7299, 92.2041),
    ]
)


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(2, 3): the rotation, scaling and shift with the least squared error, written out."""
    x, y = source.T
    one, zero = np.ones(len(x)), np.zeros(len(x))
    # target_x = a x - b y + c, target_y = b x + a y + d
    rows = np.concatenate([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    a, b, c, d = np.linalg.lstsq(rows, target.T.reshape(-1), rcond=None)[0]
    return np.array([[a, -b, c], [b, a, d]])


@pytest.fixture
def photo() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    return cv2.resize(noise, (400, 300), interpolation=cv2.INTER_CUBIC)


def landmarks_in(photo: np.ndarray, seed: int) -> np.ndarray:
    """Five landmarks of a turned, scaled and slightly distorted face."""
    draw = np.random.default_rng(seed)
    angle, scale = draw.uniform(-0.5, 0.5), draw.uniform(0.8, 1.8)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (SPHEREFACE - (48, 72)) @ turn.T + (200, 150) + draw.normal(0, 2, (5, 2))


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize(('size', 'shift'), [((112, 96), 0), ((112, 112), 8)])
def test_equals_the_least_squares_similarity(photo: np.ndarray, size: tuple, shift: int, seed: int):
    landmarks = landmarks_in(photo, seed)
    face = align_face(photo, landmarks, size)
    assert face.shape == (*size, 3)
    matrix = similarity(landmarks, SPHEREFACE + np.array([shift, 0]))
    expected = cv2.warpAffine(photo, matrix, size[::-1])
    difference = np.abs(face.astype(int) - expected)
    assert difference.mean() < 0.5
    assert difference.max() <= 8  # positions are rounded to 1/32 of a pixel


def test_equals_insightface(photo: np.ndarray):
    from insightface.utils.face_align import norm_crop

    landmarks = landmarks_in(photo, 0).astype(np.float32)
    np.testing.assert_array_equal(align_face(photo, landmarks), norm_crop(photo, landmarks, 112))


def test_without_insightface(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, 'insightface.utils.face_align', None)
    with pytest.raises(ImportError, match=r"pip install 'amlfs_mm\[face\]'"):
        align_face(photo, SPHEREFACE)


def test_landmarks_in_place_change_nothing(photo: np.ndarray):
    face = align_face(photo, SPHEREFACE, (112, 96))
    assert np.abs(face.astype(int) - photo[:112, :96]).max() <= 1
    wide = align_face(photo, SPHEREFACE, (112, 112))
    assert (wide[:, :8] == 0).all()  # left of the photo's edge
    assert np.abs(wide[:, 8:].astype(int) - photo[:112, :104]).max() <= 1


@pytest.mark.parametrize(
    ('landmarks', 'size', 'says'),
    [
        (SPHEREFACE, (96, 112), r'size must be one of .*got \(96, 112\)'),
        (SPHEREFACE[:4], (112, 112), 'expected five different landmarks'),
        (np.full((5, 2), 7.0), (112, 112), 'expected five different landmarks'),
        (np.tile([3.0, 9.0], (5, 1)), (112, 112), 'expected five different landmarks'),
        (np.full((5, 2), np.nan), (112, 112), 'expected five different landmarks'),
    ],
)
def test_bad_landmarks(photo: np.ndarray, landmarks: np.ndarray, size: tuple, says: str):
    with pytest.raises(ValueError, match=says):
        align_face(photo, landmarks, size)


LANDMARKS = np.array([(40, 50), (80, 52), (60, 70), (42, 92), (76, 94)])


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two people with two photos each, of which one is damaged."""
    for person in ('ann lee', 'bo'):
        (tmp_path / 'photos' / person).mkdir(parents=True)
        for number in (1, 2):
            noise = np.random.default_rng(number).integers(0, 256, (12, 12, 3), np.uint8)
            photo = cv2.resize(noise, (128, 128), interpolation=cv2.INTER_CUBIC)
            content = encode(photo, '.png')
            if person == 'bo' and number == 2:
                content = content[:1000]
            (tmp_path / 'photos' / person / f'{number}.png').write_bytes(content)
    return tmp_path / 'photos'


@pytest.mark.parametrize('size', [(112, 112), (112, 96)])
def test_a_folder(photos: Path, tmp_path: Path, size: tuple):
    path = write_landmarks(tmp_path, 'ann lee/1.png', 'bo/1.png', 'bo/2.png')
    aligned, skipped = align_folder(photos, tmp_path / 'faces', LandmarkList(path), size)
    assert aligned == 2
    for name in ('ann lee/1.png', 'bo/1.png'):
        expected = align_face(cv2.imread(str(photos / name)), LANDMARKS, size)
        np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'faces' / name)), expected)
    assert (tmp_path / 'faces' / 'skipped.txt').read_text().splitlines() == skipped
    assert skipped[0] == 'ann lee/2.png\tno landmarks'
    assert 'bo/2.png cannot be read' in skipped[1]
    assert FaceFolder(tmp_path / 'faces').names == ['ann lee', 'bo']


def test_folders_that_cannot_be_aligned(photos: Path, tmp_path: Path):
    def align(*names: str, row: str | None = None) -> None:
        align_folder(
            photos, tmp_path / 'faces', LandmarkList(write_landmarks(tmp_path, *names, row=row))
        )

    with pytest.raises(ValueError, match=r"txt names none of the 4 images.*line 3: 'other/1"):
        align('other/1.png')
    with pytest.raises(ValueError, match=r'bo/1\.png: expected five different landmarks'):
        align('bo/1.png', row='5 ' * 10)
    (photos / 'bo' / '1.jpg').write_bytes((photos / 'bo' / '1.png').read_bytes())
    with pytest.raises(ValueError, match=r'bo/1\.png and another one would both be 1\.png'):
        align('bo/1.png', 'bo/1.jpg')
    assert not (tmp_path / 'faces').exists()


def write_landmarks(folder: Path, *names: str, row: str | None = None) -> Path:
    row = row or ' '.join(str(value) for value in LANDMARKS.ravel())
    path = folder / 'landmarks.txt'
    path.write_text('# eyes, nose, mouth\n\n' + ''.join(f'{name} {row}\n' for name in names))
    return path
