"""MegaFace's files against bytes assembled from their definition; probes refined of noise."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import METRICS

from amlfs_mm.evaluation.faces.megaface import (
    FaceList,
    is_noise,
    read_feature,
    read_features,
    read_list,
    read_noise,
    refine_probes,
    write_feature,
    write_list,
)

NUMBERS = [1.5, -2.0, 0.0, 3.25]


def content(rows: int = 4, columns: int = 1, row_bytes: int = 4, kind: int = 5) -> bytes:
    return struct.pack('<4i4f', rows, columns, row_bytes, kind, *NUMBERS)


@pytest.mark.parametrize('header', [(4, 1, 4), (1, 4, 16), (1, 4, 4)])
def test_feature_from_bytes(header: tuple, tmp_path: Path):
    (tmp_path / 'a.bin').write_bytes(content(*header))
    feature = read_feature(tmp_path / 'a.bin')
    assert feature.dtype == np.float32
    assert feature.tolist() == NUMBERS


def test_feature_round_trip(tmp_path: Path):
    write_feature(tmp_path / 'deep' / 'a.jpg.bin', np.array(NUMBERS))
    assert (tmp_path / 'deep' / 'a.jpg.bin').read_bytes() == content()
    assert read_feature(tmp_path / 'deep' / 'a.jpg.bin').tolist() == NUMBERS
    with pytest.raises(ValueError, match=r'got shape \(2, 2\)'):
        write_feature(tmp_path / 'b.bin', np.ones((2, 2)))


@pytest.mark.parametrize(
    ('wrong', 'says'),
    [
        (b'', 'has 0 bytes: the header alone has 16'),
        (content()[:15], 'has 15 bytes'),
        (content()[:31], r'has 31 bytes, but 4 x 1 numbers make 32'),
        (content() + b'\0', r'has 33 bytes'),
        (content(kind=6), 'type 6; right would be'),
        (content(row_bytes=8), '8 bytes a row'),
        (content(rows=-4), '-4 x 1'),
        (content(rows=0), '0 x 1'),
        (content(rows=2, columns=2, row_bytes=8), 'a matrix 2 x 2'),
        (content(rows=1 << 30), r'1073741824 x 1 numbers make'),
        (struct.pack('>4i4f', 4, 1, 4, 5, *NUMBERS), 'no matrix of float32'),
    ],
)
def test_wrong_feature_files(wrong: bytes, says: str, tmp_path: Path):
    (tmp_path / 'a.bin').write_bytes(wrong)
    with pytest.raises(ValueError, match=rf'a\.bin .*{says}'):
        read_feature(tmp_path / 'a.bin')


def test_features_in_chunks(tmp_path: Path):
    features = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    paths = [f'{i % 2}/{i}.jpg' for i in range(5)]
    for path, feature in zip(paths, features, strict=True):
        write_feature(tmp_path / f'{path}_x.bin', feature)
    chunks = list(read_features(tmp_path, paths, '_x.bin', chunk_size=2))
    assert [len(chunk) for chunk in chunks] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(chunks), features)
    with pytest.raises(FileNotFoundError, match=r'2\.jpg_y\.bin|0\.jpg_y\.bin'):
        list(read_features(tmp_path, paths, '_y.bin'))
    write_feature(tmp_path / '0/4.jpg_x.bin', np.ones(4))
    with pytest.raises(ValueError, match=r'4\.jpg_x\.bin has 4 numbers, the others 3'):
        list(read_features(tmp_path, paths, '_x.bin'))


def test_lists(tmp_path: Path):
    (tmp_path / 'a.json').write_text('{"path": ["A_B/A_B_1.png", "é/2.png"], "id": ["A B", "é"]}')
    faces = read_list(tmp_path / 'a.json')
    assert faces == FaceList(['A_B/A_B_1.png', 'é/2.png'], ['A B', 'é'])
    for again in (faces, FaceList(['x.jpg'])):
        write_list(tmp_path / 'b.json', again)
        assert read_list(tmp_path / 'b.json') == again
    assert json.loads((tmp_path / 'b.json').read_text()) == dict(path=['x.jpg'])


@pytest.mark.parametrize(
    ('text', 'says'),
    [
        ('{"path": ["a"', "no list of MegaFace's devkit"),
        ('["a"]', "no list of MegaFace's devkit"),
        ('{"id": ["a"]}', 'KeyError..path..'),
        ('{"path": ["a", "b"], "id": ["x"]}', '2 paths, but 1 identities'),
        ('{"path": "a.jpg"}', "'path' must be a list of image paths, got 'a.jpg'"),
        ('{"path": ["a", 3]}', "'path' must be a list of image paths, got 3"),
        ('{"path": ["a", "b", "a"], "id": ["x", "y", "x"]}', "'a' twice"),
    ],
)
def test_wrong_lists(text: str, says: str, tmp_path: Path):
    (tmp_path / 'a.json').write_text(text)
    with pytest.raises(ValueError, match=says):
        read_list(tmp_path / 'a.json')


def test_noise(tmp_path: Path):
    (tmp_path / 'noise.txt').write_text('# two\n\nA_B_1.png\n17\t000/12/0.jpg\n')
    noise = read_noise(tmp_path / 'noise.txt')
    assert is_noise('A_B/A_B_1.png', noise)
    assert is_noise('FlickrFinal2/000/12/0.jpg', noise)
    for clean in ('A_B/A_B_11.png', 'A_B_1.png/other.png', '000/13/0.jpg', '0.jpg', 'xA_B_1.png'):
        assert not is_noise(clean, noise)


def test_refined_probes():
    features = np.array([[2.0, 0.0], [0.0, 5.0], [9.0, 9.0], [-1.0, 0.0]])
    refined = refine_probes(features, ['a', 'a', 'a', 'b'], np.array([0, 0, 1, 0], bool))
    half = np.sqrt(0.5)
    np.testing.assert_allclose(refined, [[1, 0], [0, 1], [half, half], [-1, 0]])
    with pytest.raises(ValueError, match='all probes of b are noise'):
        refine_probes(features, ['a', 'a', 'a', 'b'], np.array([0, 0, 0, 1], bool))


def test_a_model_writes_features(tmp_path: Path):
    options = dict(out_dir=str(tmp_path / 'out'), image_root=str(tmp_path), suffix='_m.bin')
    metric = METRICS.build(dict(type='amlfs_mm.MegaFaceFeatures', **options))
    features = torch.randn(3, 4)
    names = ['x/0.jpg', 'x/1.jpg', 'x/0.jpg']  # the last: a replica's padding
    samples = [
        dict(img_path=str(tmp_path / name), feature=feature)
        for name, feature in zip(names, features[[0, 1, 0]], strict=True)
    ]
    metric.process({}, samples)
    assert metric.evaluate(3) == {'face/feature_files': 2}
    (chunk,) = read_features(tmp_path / 'out', names[:2], '_m.bin')
    np.testing.assert_array_equal(chunk, features[:2])
    with pytest.raises(ValueError, match='not below image_root'):
        metric.process({}, [dict(img_path='/elsewhere/0.jpg', feature=features[0])])


def test_what_a_model_cannot_write(tmp_path: Path):
    """A missing field, and a feature that the devkit would compare without a word."""
    options = dict(out_dir=str(tmp_path / 'out'), image_root=str(tmp_path))
    metric = METRICS.build(dict(type='amlfs_mm.MegaFaceFeatures', **options))
    sample = dict(img_path=str(tmp_path / '0.jpg'), feature=torch.tensor([1.0, float('nan')]))
    with pytest.raises(ValueError, match=r'0\.jpg\.bin is not finite'):
        metric.process({}, [sample])
    assert not list((tmp_path / 'out').rglob('*.bin'))
    with pytest.raises(ValueError, match=r"MegaFaceFeatures needs \['img_path'\].*meta_keys"):
        metric.process({}, [dict(feature=torch.ones(2))])
    with pytest.raises(ValueError, match=r"MegaFaceFeatures needs 'feature'.*EmbeddingClassifier"):
        metric.process({}, [dict(img_path='0.jpg')])


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'utf-32'])
@pytest.mark.parametrize('end', ['\n', '\r\n', '\r'])
def test_lists_as_other_tools_write_them(encoding: str, end: str, tmp_path: Path):
    lines = ['{"path": ["é/a.jpg"],', ' "id": [1]}']
    (tmp_path / 'list.json').write_bytes(end.join(lines).encode(encoding))
    assert read_list(tmp_path / 'list.json') == FaceList(['é/a.jpg'], [1])
    lines = ['# noise', 'é/a.jpg', '', '"b 1.jpg" ', '3\t.\\c\\d.jpg']
    (tmp_path / 'noise.txt').write_bytes(end.join(lines).encode(encoding))
    noise = read_noise(tmp_path / 'noise.txt')
    assert noise == {'é/a.jpg', 'b 1.jpg', 'c/d.jpg'}
    assert is_noise('x\\c\\d.jpg', noise)


def test_lists_of_noise_that_are_none(tmp_path: Path):
    (tmp_path / 'noise.txt').write_text('# nothing\n\n')
    with pytest.raises(ValueError, match='names no image'):
        read_noise(tmp_path / 'noise.txt')
    (tmp_path / 'noise.txt').write_bytes(b'a.jpg\n\xe9.jpg\n')
    with pytest.raises(ValueError, match=r'noise\.txt, line 2: this is not UTF-8 text'):
        read_noise(tmp_path / 'noise.txt')


@pytest.mark.parametrize('bad', [[0.0, 0.0], [np.nan, 1.0]])
def test_probes_without_a_direction_are_not_refined(bad: list):
    features = np.array([[1.0, 0.0], bad])
    with pytest.raises(ValueError, match=r'no direction .*first row 1'):
        refine_probes(features, ['a', 'a'], np.array([True, False]))
