"""Reading and writing insightface's record files."""

import multiprocessing
import pickle
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from helpers.attempts import attempt
from helpers.face_data import (
    MAGIC,
    draw_face,
    encode,
    image_record,
    part,
    write_face_record,
    write_record_files,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from amlfs_mm.datasets import InsightFaceRecord, write_insightface_record
from amlfs_mm.datasets.faces.records.insightface_format import parse_index

PEOPLE = [
    [encode(draw_face(identity, shot, (112, 112)), '.png') for shot in range(3 - identity)]
    for identity in range(3)
]
LABELS = [0, 0, 0, 1, 1, 2]


def face(index: int) -> np.ndarray:
    """What image ``index`` of ``PEOPLE`` shows."""
    shot = index - LABELS.index(LABELS[index])
    return draw_face(LABELS[index], shot, (112, 112))


def assert_faces(record: InsightFaceRecord) -> None:
    assert len(record) == 6
    for index, label in enumerate(LABELS):
        image, found = record[index]
        np.testing.assert_array_equal(image, face(index))
        assert image.dtype == np.uint8
        assert (found, type(found)) == (label, int)
    assert record.labels.tolist() == LABELS


@pytest.mark.parametrize('flag', [0, 2])
def test_the_format(tmp_path: Path, flag: int):
    record = InsightFaceRecord(write_face_record(tmp_path, PEOPLE, flag))
    assert record.num_classes == 3
    assert record.image_size == (112, 112)
    assert_faces(record)
    np.testing.assert_array_equal(record[-1][0], face(5))


@pytest.mark.parametrize('first_key', [0, 1])
@pytest.mark.parametrize('flag', [0, 2])
def test_files_without_a_header(tmp_path: Path, first_key: int, flag: int):
    """Then all keys are images, in the order of the keys, not of the file; key 0 is no header."""
    images = [content for person in PEOPLE for content in person]
    records = {
        first_key + i: image_record(content, [LABELS[i], 0] if flag else LABELS[i])
        for i, content in enumerate(images)
    }
    shuffled = {key: records[key] for key in (5, 3, 1, 2, 4, *(records.keys() - set(range(1, 6))))}
    assert_faces(InsightFaceRecord(write_record_files(tmp_path, shuffled, 3)))


@pytest.mark.parametrize('off', [-1, 1, 2])
def test_a_header_beyond_float32(tmp_path: Path, off: int):
    """Of 17 million images (Glint360K) the header's number is rounded: 1 or 2 off."""
    write_face_record(tmp_path, PEOPLE)
    content = (tmp_path / 'train.rec').read_bytes()
    labels = struct.pack('<2f', 7, 10)
    assert content.count(labels) == 1
    (tmp_path / 'train.rec').write_bytes(content.replace(labels, struct.pack('<2f', 7 + off, 10)))
    assert_faces(InsightFaceRecord(tmp_path))


def in_parts(data: bytes) -> bytes:
    """A record by the definition: a part ends before each aligned magic word, which is left out."""
    words = [data[i : i + 4] for i in range(0, len(data), 4)]
    cuts = [i for i, word in enumerate(words) if word == MAGIC]
    assert len(cuts) > 1
    starts, stops = [0, *(cut + 1 for cut in cuts)], [*cuts, len(words)]
    pieces = [b''.join(words[a:b]) for a, b in zip(starts, stops, strict=True)]
    kinds = [1] + [2] * (len(pieces) - 2) + [3]
    return b''.join(part(piece, kind) for piece, kind in zip(pieces, kinds, strict=True))


@pytest.mark.parametrize('tail', [0, 1, 2, 3])
def test_records_in_parts(tmp_path: Path, tail: int):
    # Two magic words, one after the other, behind the image's end (where decoders do not look).
    data = image_record(PEOPLE[0][0], [0, 1])
    data += bytes(-len(data) % 4) + MAGIC + MAGIC + b'abcd' + MAGIC + bytes(tail)
    other = image_record(PEOPLE[1][0], 1)
    # A magic word that is not at a multiple of 4 is data as any other.
    other += bytes(-len(other) % 4 + 2) + MAGIC
    write_record_files(tmp_path, {0: in_parts(data), 1: other}, 2)
    record = InsightFaceRecord(tmp_path)
    assert record.read(0) == (data[32:], 0)
    assert record.read(1) == (other[24:], 1)
    np.testing.assert_array_equal(record[0][0], face(0))
    assert record.labels.tolist() == [0, 1]


def test_the_writer_writes_what_the_definition_says(tmp_path: Path):
    aligned = PEOPLE[0][0] + bytes(-len(PEOPLE[0][0]) % 4)
    people = [[aligned + MAGIC + b'abcd' + MAGIC, PEOPLE[0][1]], PEOPLE[1]]
    assert write_insightface_record(tmp_path, people, (112, 96)) == 4
    assert (tmp_path / 'property').read_text() == '2,112,96\n'
    index = [line.split('\t') for line in (tmp_path / 'train.idx').read_text().splitlines()]
    offset = {int(key): int(place) for key, place in index}
    assert sorted(offset) == list(range(7))
    content = (tmp_path / 'train.rec').read_bytes()
    assert content[offset[1] :].startswith(in_parts(image_record(people[0][0], 0, 1)))
    for key, data in {
        0: image_record(b'', [5, 7], 0),
        2: image_record(people[0][1], 0, 2),
        3: image_record(people[1][0], 1, 3),
        4: image_record(people[1][1], 1, 4),
        5: image_record(b'', [1, 3], 5),
        6: image_record(b'', [3, 5], 6),
    }.items():
        assert content[offset[key] :].startswith(part(data, 0))
    record = InsightFaceRecord(tmp_path)
    assert [record.read(i) for i in range(4)] == [
        (data, label) for label, person in enumerate(people) for data in person
    ]


@pytest.mark.parametrize('start', ['fork', pytest.param('spawn', marks=pytest.mark.slow)])
def test_loader_workers(tmp_path: Path, start: str):
    record = InsightFaceRecord(write_face_record(tmp_path, PEOPLE * 4))
    record[0]  # the file is open before the workers start
    loader = DataLoader(
        record,
        batch_size=None,
        num_workers=2,
        multiprocessing_context=multiprocessing.get_context(start),
    )
    for _ in range(3 if start == 'fork' else 1):
        items = list(loader)
        assert len(items) == 24
        for index, (image, label) in enumerate(items):
            np.testing.assert_array_equal(image, face(index % 6))
            assert int(label) == record.labels[index]


def test_pickled(tmp_path: Path):
    record = InsightFaceRecord(write_face_record(tmp_path, PEOPLE))
    record[0]
    assert_faces(pickle.loads(pickle.dumps(record)))


@pytest.mark.parametrize('name', ['train.rec', 'train.idx', 'property'])
def test_a_missing_file(tmp_path: Path, name: str):
    write_face_record(tmp_path, PEOPLE)
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"lacks \['{name}'\].*train.rec, train.idx"):
        InsightFaceRecord(tmp_path)


@pytest.mark.parametrize(
    ('name', 'content', 'says'),
    [
        ('property', '', "says '', expected <classes>,<height>,<width>"),
        ('property', '3,112', "says '3,112'"),
        ('property', '0,112,112', 'says'),
        ('train.idx', '', 'damaged or empty'),
        ('train.idx', '0\t0\n1', 'damaged or empty'),
        ('train.idx', '0\t0\n1\tx', 'damaged or empty'),
        ('train.idx', '1\t0\n1\t0\n', 'lists key 1 twice'),
        ('train.idx', '1\t0\n2\t99999999\n', 'key 2 at byte 99999999, but the record file ends at'),
        ('train.idx', '1\t0\n2\t-8\n', 'key 2 at byte -8'),
    ],
)
def test_damaged_small_files(tmp_path: Path, name: str, content: str, says: str):
    write_face_record(tmp_path, PEOPLE)
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=says):
        InsightFaceRecord(tmp_path)


def test_an_index_that_lacks_images(tmp_path: Path):
    write_face_record(tmp_path, PEOPLE)
    lines = (tmp_path / 'train.idx').read_text().splitlines()
    for gone in range(1, 7):
        (tmp_path / 'train.idx').write_text('\n'.join(lines[:gone] + lines[gone + 1 :]))
        with pytest.raises(ValueError, match=r'keys 1 to 6, but .* does not list all'):
            InsightFaceRecord(tmp_path)


def test_an_index_past_the_end(tmp_path: Path):
    record = InsightFaceRecord(write_face_record(tmp_path, PEOPLE))
    for index in (6, 100, -7):
        with pytest.raises(IndexError, match=f'has 6 images, there is no image {index}'):
            record[index]
    assert len(list(record)) == 6  # iteration ends by itself


def test_a_truncated_file_never_gives_a_wrong_image(tmp_path: Path):
    """Cut anywhere: an item is right or an error."""
    records = {i: image_record(PEOPLE[i][0], i) for i in range(3)}
    write_record_files(tmp_path, records, 3)
    whole = (tmp_path / 'train.rec').read_bytes()
    starts = [int(line.split()[1]) for line in (tmp_path / 'train.idx').read_text().splitlines()]
    for size in (
        *range(1, 80),
        *range(80, len(whole) - 80, 997),
        *range(len(whole) - 80, len(whole)),
    ):
        (tmp_path / 'train.rec').write_bytes(whole[:size])
        if size <= starts[-1]:
            with pytest.raises(ValueError, match='but the record file ends at'):
                InsightFaceRecord(tmp_path)
            continue
        record = InsightFaceRecord(tmp_path)
        for index in range(2):
            np.testing.assert_array_equal(record[index][0], face((0, 3)[index]))
        if size >= len(whole) - 3:  # only padding is gone
            continue
        with pytest.raises(ValueError, match=rf'cut short: bytes \d+ to \d+ .* ends at {size}'):
            record[2]


@pytest.mark.parametrize(
    ('data', 'says'),
    [
        (b'\x0a\x23\xd7\x3e' + bytes(60), r'no record starts at byte \d+, there is 0x3ed7230a'),
        (part(b'x' * 40, 2), 'has kind 2, which cannot start a record'),
        (part(b'x' * 40, 5), 'has kind 5'),
        (part(b'x' * 40, 1) + part(b'y' * 40, 0), 'has kind 0, which cannot continue a record'),
        (part(b'x' * 23, 0), '23 bytes cannot hold its header'),
        (part(image_record(b'', [1.0])[:26], 0), '26 bytes cannot hold its header and labels'),
        (part(image_record(b'', 0), 0), 'holds no image'),
        (part(image_record(b'xy', 3), 0), 'label 3.0, but .*property says 3 classes'),
        (part(image_record(b'xy', -1), 0), 'label -1.0'),
        (part(image_record(b'xy', 0.5), 0), 'label 0.5'),
        (part(image_record(b'xy', float('nan')), 0), 'label nan'),
    ],
)
def test_damaged_records(tmp_path: Path, data: bytes, says: str):
    write_record_files(tmp_path, {1: image_record(PEOPLE[0][0], 0)}, 3)
    size = (tmp_path / 'train.rec').stat().st_size
    with open(tmp_path / 'train.rec', 'ab') as file:
        file.write(data)
    with open(tmp_path / 'train.idx', 'a') as file:
        file.write(f'2\t{size}\n')
    record = InsightFaceRecord(tmp_path)
    np.testing.assert_array_equal(record[0][0], face(0))
    with pytest.raises(ValueError, match=says) as error:
        record[1]
    assert 'train.rec' in str(error.value)


@pytest.mark.parametrize('damage', [b'no image', PEOPLE[0][0][:-100], encode(face(0))[:-200]])
def test_undecodable_images(tmp_path: Path, damage: bytes):
    write_record_files(tmp_path, {7: image_record(damage, 0)}, 3)
    with pytest.raises(
        OSError, match=r'train\.rec#7 cannot be read, it is no image or is cut short'
    ):
        InsightFaceRecord(tmp_path)[0]


@pytest.mark.parametrize('images', [(1, 9), (5, 2), (-3, 2), (float('nan'), 2)])
def test_damaged_identities(tmp_path: Path, images: tuple):
    write_face_record(tmp_path, PEOPLE)
    content = (tmp_path / 'train.rec').read_bytes()
    first = struct.pack('<2f', 1, 4)
    assert content.count(first) == 1
    (tmp_path / 'train.rec').write_bytes(content.replace(first, struct.pack('<2f', *images)))
    with pytest.raises(ValueError, match=r'train\.rec#7 .*the file is damaged'):
        InsightFaceRecord(tmp_path).labels  # noqa: B018


def test_the_writer_refuses_what_the_format_cannot_hold(tmp_path: Path):
    from amlfs_mm.datasets.faces.records.record_file import encode_record

    with pytest.raises(ValueError, match='holds 536870911 bytes at most, got 536870912'):
        encode_record(bytes(1 << 29))


@pytest.mark.parametrize(
    'change',
    [
        lambda text: text.replace('\n', '\r\n').encode(),
        lambda text: b'\xef\xbb\xbf' + text.encode() + b'\n\n',
        lambda text: text.replace('\t', ' ').encode(),
        lambda text: text.replace('\t', ',').encode(),
        lambda text: text.encode('utf-16'),
    ],
)
def test_text_files_as_tools_write_them(tmp_path: Path, change):
    people = [[encode(draw_face(i, shot)) for shot in range(2)] for i in range(3)]
    write_face_record(tmp_path, people)
    expected = [InsightFaceRecord(tmp_path).read(i) for i in range(6)]
    for name in ('train.idx', 'property'):
        text = (tmp_path / name).read_text()
        (tmp_path / name).write_bytes(change(text))
    record = InsightFaceRecord(tmp_path)
    assert [record.read(i) for i in range(6)] == expected
    assert record.num_classes == 3


INDEX_LINES = st.lists(
    st.sampled_from(['0\t0', '1\t9', '2 20', '3,30', '4', '5\t5\t5', 'x\t1', '-1\t1', '6\t', '']),
    max_size=5,
).map(lambda lines: '\n'.join(lines).encode())


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.binary(max_size=30) | INDEX_LINES)
def test_any_index_is_read_or_refused_by_line(tmp_path: Path, content: bytes):
    path = tmp_path / 'train.idx'
    path.write_bytes(content)
    rows, error = attempt(ValueError, parse_index, path)
    if error:
        assert 'train.idx' in error
        assert not re.fullmatch(rb'([0-9]{1,18}\t[0-9]{1,18}\n)+', content)
    else:
        text = re.sub(r'[\s,;"\']+', ' ', content.decode('utf-8-sig')).strip()
        assert rows.ravel().tolist() == [int(word) for word in text.split(' ')]


@pytest.mark.parametrize(
    'text', ['', 'x', '3,112', '3,112,112,1', '0,112,112', '3,112,x', '-1,1,1']
)
def test_a_property_file_that_says_something_else(tmp_path: Path, text: str):
    write_face_record(tmp_path, [[encode(draw_face(0, 0))]])
    (tmp_path / 'property').write_text(text)
    with pytest.raises(
        ValueError, match=r'property, line 1: .*expected <classes>,<height>,<width>'
    ):
        InsightFaceRecord(tmp_path)
