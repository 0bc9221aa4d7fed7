"""Face data in the usual formats, made for a test without the package's own writers."""

from __future__ import annotations

import pickle
import struct
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

MAGIC = bytes.fromhex('0a23d7ce')  # 0xced7230a, little-endian
HEIGHT, WIDTH = 112, 96


def draw_face(identity: int, shot: int, size: tuple[int, int] = (HEIGHT, WIDTH)) -> np.ndarray:
    """A face (H, W, 3) uint8: colours and proportions by identity, light and position by shot."""
    person = np.random.default_rng([7, identity])
    photo = np.random.default_rng([11, identity, shot])
    skin, hair, eyes, wall = (person.uniform(30, 225, 3) for _ in range(4))
    wide, long, apart, mouth = person.uniform([26, 38, 9, 6], [38, 50, 17, 18])
    image = np.empty((HEIGHT, WIDTH, 3))
    image[:] = wall * photo.uniform(0.5, 1.5)
    x, y = (np.array([48, 60]) + photo.uniform(-3, 3, 2)).astype(int)

    def ellipse(dx: float, dy: float, rx: float, ry: float, colour: np.ndarray) -> None:
        centre = (int(x + dx), int(y + dy))
        cv2.ellipse(image, centre, (int(rx), int(ry)), 0, 0, 360, colour.tolist(), -1)

    ellipse(0, -8, wide + 4, long + 2, hair)
    ellipse(0, 4, wide, long - 6, skin)
    for side in (-1, 1):
        ellipse(side * apart, -6, 5, 3, eyes)
    ellipse(0, 26, mouth, 3, hair)
    image = image * photo.uniform(0.8, 1.2) + photo.normal(0, 6, image.shape)
    return cv2.resize(np.clip(image, 0, 255).astype(np.uint8), size[::-1])


def encode(image: np.ndarray, extension: str = '.jpg') -> bytes:
    """The bytes of an image file; the image is RGB."""
    kind = dict(zip(('.jpg', '.png'), ('JPEG', 'PNG'), strict=True))[extension]
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, kind, quality=90)
    return buffer.getvalue()


def write_casia(
    root: Path, identities: int = 8, images: int = 4, size: tuple[int, int] = (HEIGHT, WIDTH)
) -> Path:
    """A CASIA-WebFace of drawn faces: folders of 7 digits, images 001.jpg, 002.jpg ..."""
    for identity in range(identities):
        folder = root / f'{45 + 54 * identity:07d}'
        folder.mkdir(parents=True)
        for shot in range(images):
            content = encode(draw_face(identity, shot, size))
            (folder / f'{shot + 1:03d}.jpg').write_bytes(content)
    return root


def part(data: bytes, kind: int) -> bytes:
    """A part of a record: magic, kind and length, data, padding."""
    return MAGIC + struct.pack('<I', kind << 29 | len(data)) + data + bytes(-len(data) % 4)


def image_record(content: bytes, label: float | list[float], key: int = 0) -> bytes:
    """The data of a record: one label in the header (flag 0), or a list of them behind it."""
    if isinstance(label, list):
        floats = struct.pack(f'<{len(label)}f', *label)
        return struct.pack('<IfQQ', len(label), 0, key, 0) + floats + content
    return struct.pack('<IfQQ', 0, label, key, 0) + content


def write_record_files(
    root: Path, records: dict[int, bytes], num_classes: int, size: tuple[int, int] = (112, 112)
) -> Path:
    """``train.rec`` of records by key, whole or (bytes that start with the magic) in parts."""
    root.mkdir(parents=True, exist_ok=True)
    content, index = b'', ''
    for key, data in records.items():
        index += f'{key}\t{len(content)}\n'
        content += data if data.startswith(MAGIC) else part(data, 0)
    (root / 'train.rec').write_bytes(content)
    (root / 'train.idx').write_text(index)
    (root / 'property').write_text(f'{num_classes},{size[0]},{size[1]}\n')
    return root


def write_face_record(root: Path, people: list[list[bytes]], flag: int = 0) -> Path:
    """The record files of a list of images an identity, with the records of key 0 and identities.

    Args:
        flag: 0: an image's label is in its header, as rec_builder.py writes them; 2: behind it with
            a second number, as face2rec2.py does.
    """
    images = [(label, content) for label, person in enumerate(people) for content in person]
    first = len(images) + 1
    records = {0: image_record(b'', [first, first + len(people)])}
    for key, (label, content) in enumerate(images, start=1):
        records[key] = image_record(content, [label, 1] if flag else label, key)
    start = 1
    for label, person in enumerate(people):
        records[first + label] = image_record(b'', [start, start + len(person)])
        start += len(person)
    return write_record_files(root, records, len(people))


def write_bin(
    path: Path, pairs: int = 6, protocol: int = 2, size: tuple[int, int] = (HEIGHT, WIDTH)
) -> list[bool]:
    """A verification set of drawn faces, every other pair of one person; the flags."""
    is_same = [pair % 2 == 0 for pair in range(pairs)]
    images = []
    for pair, same in enumerate(is_same):
        images.append(encode(draw_face(pair, 0, size)))
        images.append(encode(draw_face(pair if same else pair + 100, 1, size)))
    path.write_bytes(pickle.dumps((images, is_same), protocol))
    return is_same


@pytest.fixture(scope='session')
def face_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with small sets of drawn faces in place of all that the configs name."""
    root = tmp_path_factory.mktemp('faces')
    write_casia(root / 'casia_webface', identities=12, images=4)
    names = sorted(path.name for path in (root / 'casia_webface').iterdir())
    (root / 'webface_lfw_overlap.txt').write_text(f'{names[3]}\n')
    (root / 'webface_facescrub_overlap.txt').write_text(f'{names[7]}\n')
    people = [f'Person_{letter}' for letter in 'ABCDEF']
    for identity, name in enumerate(people):
        folder = root / 'lfw' / '112x96' / name
        folder.mkdir(parents=True)
        for shot in range(2):
            content = encode(draw_face(identity, shot))
            (folder / f'{name}_{shot + 1:04d}.jpg').write_bytes(content)
    # 10 folds of one pair each kind
    lines = ['10\t1']
    for fold in range(10):
        one, other = people[fold % 6], people[(fold + 1) % 6]
        lines += [f'{one}\t1\t2', f'{one}\t1\t{other}\t2']
    (root / 'lfw' / 'pairs.txt').write_text('\n'.join(lines) + '\n')
    record = root / 'ms1m-retinaface-t1'
    faces = [[encode(draw_face(i, shot, (112, 112))) for shot in range(3)] for i in range(10)]
    write_face_record(record, faces)
    write_bin(record / 'lfw.bin', pairs=20, size=(112, 112))
    for subject in range(1, 31):
        folder = root / 'orl_faces' / f's{subject:02d}'
        folder.mkdir(parents=True)
        for shot in range(1, 5):
            grey = cv2.cvtColor(draw_face(subject, shot, (112, 92)), cv2.COLOR_RGB2GRAY)
            assert cv2.imwrite(str(folder / f'{shot:02d}.pgm'), grey)
    return root
