"""Verification sets: insightface's .bin files and LFW's lists of pairs."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from helpers.attempts import attempt
from helpers.face_data import draw_face, encode, write_bin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmpretrain.registry import DATASETS
from torch.utils.data import DataLoader

from amlfs_mm.datasets import FacePairs
from amlfs_mm.datasets.faces.lfw_pairs import read_lfw_pairs
from amlfs_mm.datasets.faces.records.verification_bin import read_verification_bin


def load(pairs: Path, root: Path | None = None) -> FacePairs:
    return DATASETS.build(
        dict(
            type='amlfs_mm.FacePairs',
            pairs=str(pairs),
            data_root=root and str(root),
            pipeline=[dict(type='amlfs_mm.LoadWholeImage')],
        )
    )


def test_pairs_of_a_bin_file(tmp_path: Path):
    is_same = write_bin(tmp_path / 'lfw.bin')
    data = load(tmp_path / 'lfw.bin')
    assert len(data) == 12
    assert data.metainfo['is_same'] == is_same == [True, False] * 3
    for i, item in enumerate(DataLoader(data, batch_size=None, num_workers=2, collate_fn=dict)):
        assert (item['pair_index'], item['side']) == (i // 2, i % 2)
        assert item['is_same'] == is_same[i // 2]
        assert item['img_path'].endswith(f'lfw.bin#{i}')
        identity = i // 2 if is_same[i // 2] or i % 2 == 0 else i // 2 + 100
        rgb = item['img'][..., ::-1].astype(float)
        assert np.abs(rgb - draw_face(identity, i % 2)).mean() < 8


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize('flag', [bool, np.bool_, int])
@pytest.mark.parametrize('kind', [list, tuple])
def test_every_pickle_that_people_write(tmp_path: Path, protocol: int, flag: type, kind: type):
    images = [b'one', bytes(range(256)), b'\0', b'four']
    flags = [flag(True), flag(False)]
    path = tmp_path / 'set.bin'
    path.write_bytes(pickle.dumps(kind([kind(images), kind(flags)]), protocol))
    assert read_verification_bin(path) == (images, [True, False])


def python2_string(text: bytes) -> bytes:
    """As Python 2 pickles its strings, protocol 2: SHORT_BINSTRING."""
    return b'U' + bytes([len(text)]) + text


def test_a_file_of_python_2(tmp_path: Path):
    """Written byte by byte: ([str, str], [numpy.bool_])."""
    images = b''.join(python2_string(text) for text in (b'\xff\xd8one', b'\x00\x80two'))
    dtype = b'cnumpy\ndtype\n(' + python2_string(b'b1') + b'K\x00K\x01tR'
    state = b'(K\x03' + python2_string(b'|') + b'NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb'
    scalar = b'cnumpy.core.multiarray\nscalar\n(' + dtype + state + python2_string(b'\x01') + b'tR'
    path = tmp_path / 'set.bin'
    path.write_bytes(b'\x80\x02](' + images + b'e](' + scalar + b'e\x86.')
    assert read_verification_bin(path) == ([b'\xff\xd8one', b'\x00\x80two'], [True])


class Attack:
    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple:
        return self.call


@pytest.mark.parametrize('protocol', [0, 2, 4])
def test_a_pickle_cannot_run_code(tmp_path: Path, protocol: int):
    path, trace = tmp_path / 'set.bin', tmp_path / 'trace'
    attacks = [
        Attack(os.mkdir, str(trace)),
        Attack(eval, f'__import__("os").mkdir({str(trace)!r})'),
        Attack(getattr, 'text', 'upper'),
        Attack(np.load, str(path)),
        np.frombuffer(b'image', np.uint8),
        np.float64(1),
        Path('x'),
    ]
    for attack in attacks:
        for content in (([b'a', b'b'], [attack]), ([attack, b'b'], [True]), attack):
            path.write_bytes(pickle.dumps(content, protocol))
            with pytest.raises(ValueError, match=r'set\.bin cannot be read as .*: it (asks|holds)'):
                read_verification_bin(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    'content',
    [
        ([b'a', b'b'], []),
        ([], []),
        ([b'a', b'b', b'c'], [True]),
        ([b'a', b'b'], [True, False]),
        (['a', 'b'], [True]),
        ([b'a', b'b'], [2]),
        ([b'a', b'b'], [None]),
        ([b'a', b'b'], [[True]]),
        ([b'a', b'b'], [True], 3),
        [b'a', b'b', True],
        None,
        {},
    ],
)
def test_other_contents(tmp_path: Path, content: object):
    path = tmp_path / 'set.bin'
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match=r'set\.bin is no verification set: expected a pair of 2N'):
        read_verification_bin(path)


def test_damaged_bin_files(tmp_path: Path):
    path = tmp_path / 'set.bin'
    write_bin(path)
    whole = path.read_bytes()
    for size in (0, 1, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r'set\.bin cannot be read'):
            read_verification_bin(path)
    with pytest.raises(FileNotFoundError):
        read_verification_bin(tmp_path / 'none.bin')
    path.write_bytes(pickle.dumps(([encode(draw_face(0, 0)), b'no image'], [True])))
    data = load(path)
    data[0]
    with pytest.raises(OSError, match=r'set\.bin#1 cannot be read, it is no image'):
        data[1]


def write_lfw(root: Path) -> Path:
    """Two folds with two pairs of each kind."""
    for person, shots in dict(Ann_Lee=4, Bo=1, Cy_J_Wu=12).items():
        (root / person).mkdir(parents=True)
        for shot in range(1, shots + 1):
            image = encode(np.full((8, 8, 3), 10 * shot + len(person), np.uint8), '.png')
            (root / person / f'{person}_{shot:04d}.png').write_bytes(image)
    lines = ['2\t2', 'Ann_Lee\t1\t4', 'Cy_J_Wu\t2\t12', 'Ann_Lee\t1\tBo\t1', 'Bo\t1\tCy_J_Wu\t3']
    lines += ['Ann_Lee\t2\t3', 'Cy_J_Wu\t1\t2', 'Cy_J_Wu\t5\tBo\t1', 'Ann_Lee\t4\tCy_J_Wu\t4']
    (root / 'pairs.txt').write_text('\n'.join(lines) + '\n')
    return root / 'pairs.txt'


def test_pairs_of_a_list(tmp_path: Path):
    data = load(write_lfw(tmp_path), tmp_path)
    assert data.metainfo['is_same'] == [True, True, False, False] * 2
    names = [Path(data.get_data_info(i)['img_path']).stem for i in range(16)]
    assert names[:8] == [
        *('Ann_Lee_0001', 'Ann_Lee_0004', 'Cy_J_Wu_0002', 'Cy_J_Wu_0012'),
        *('Ann_Lee_0001', 'Bo_0001', 'Bo_0001', 'Cy_J_Wu_0003'),
    ]
    for i, name in enumerate(names):
        person, shot = name.rsplit('_', 1)
        assert (data[i]['img'] == 10 * int(shot) + len(person)).all()
        assert data[i]['pair_index'] == i // 2


@pytest.mark.parametrize(
    ('old', 'new', 'says'),
    [
        ('2\t2\n', '', r'starts with .*Ann_Lee.*, expected the number of folds'),
        ('2\t2\n', '2\t3\n', 'has 8 pairs, but its first line says 12'),
        ('2\t2\n', '5\n', 'has 8 pairs, but its first line says 10'),
        ('Ann_Lee\t1\t4', 'Ann_Lee\t1', "line 2: 'Ann_Lee.* is no pair"),
        ('Ann_Lee\t1\t4', 'Ann_Lee\tone\t4', 'line 2'),
        ('Ann_Lee\t1\t4', 'Ann_Lee\t1\t4\t5\t6', 'line 2'),
    ],
)
def test_damaged_lists(tmp_path: Path, old: str, new: str, says: str):
    pairs = write_lfw(tmp_path)
    pairs.write_text(pairs.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=says):
        load(pairs, tmp_path)


def test_lists_without_their_images(tmp_path: Path):
    pairs = write_lfw(tmp_path)
    (tmp_path / 'Bo' / 'Bo_0001.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'no image .*Bo/Bo_0001 with one of \.jpg'):
        load(pairs, tmp_path)
    with pytest.raises(ValueError, match='a list needs the folder that its images are in'):
        load(pairs)
    with pytest.raises(ValueError, match=r'a \.bin file holds its images'):
        load(tmp_path / 'lfw.bin', tmp_path)


@pytest.mark.parametrize(
    'change',
    [
        lambda text: b'\xef\xbb\xbf' + text.replace('\n', '\r\n').encode(),
        lambda text: text.encode('utf-16'),
        lambda text: text.replace('\t', ',').encode(),
        lambda text: text.replace('\t', ' ').encode(),
        lambda text: text.replace('\t', ';').encode(),
        lambda text: text.replace('\n', '\t\t\n').encode() + b'\n\n',
        lambda text: text.replace('Ann_Lee', '"Ann_Lee"').encode(),
        lambda text: text.replace('Ann_Lee', 'ann_lee').replace('Bo', 'BO').encode(),
        lambda text: text.replace('\t', ' , ').encode(),
    ],
)
def test_lists_as_tools_write_them(tmp_path: Path, change):
    pairs = write_lfw(tmp_path)
    expected = read_lfw_pairs(pairs, tmp_path)
    pairs.write_bytes(change(pairs.read_text()))
    assert read_lfw_pairs(pairs, tmp_path) == expected


def test_images_with_other_extensions_and_spaces(tmp_path: Path):
    pairs = write_lfw(tmp_path)
    expected = read_lfw_pairs(pairs, tmp_path)[1]
    for path in [*tmp_path.glob('*/*.png')]:
        path.rename(path.with_suffix('.JPG'))
    (tmp_path / 'Ann_Lee').rename(tmp_path / 'Ann Lee')
    for path in [*(tmp_path / 'Ann Lee').iterdir()]:
        path.rename(path.with_name(path.name.replace('_Lee', ' Lee')))
    found, is_same = read_lfw_pairs(pairs, tmp_path)
    assert is_same == expected
    assert found[0][0] == str(tmp_path / 'Ann Lee' / 'Ann Lee_0001.JPG')


@pytest.mark.parametrize('line', ['Bo\t0\t1', 'Bo\t-1\t1', 'Bo\t1.0\t1', '\t1\t1', 'Bo,1', 'Bo'])
def test_lines_that_are_no_pairs(tmp_path: Path, line: str):
    pairs = write_lfw(tmp_path)
    pairs.write_text(pairs.read_text().replace('Cy_J_Wu\t2\t12', line, 1))
    with pytest.raises(ValueError, match=r"pairs\.txt, line 3: '.* is no pair"):
        read_lfw_pairs(pairs, tmp_path)


def test_missing_images_name_the_line(tmp_path: Path):
    pairs = write_lfw(tmp_path)
    (tmp_path / 'Bo' / 'Bo_0001.png').unlink()
    with pytest.raises(FileNotFoundError, match=r'pairs\.txt, line 4: there is no image .*Bo_0001'):
        read_lfw_pairs(pairs, tmp_path)


def test_two_names_of_one_person(tmp_path: Path):
    """Lists that name both persons of every pair: the names say whether they are one."""
    pairs = write_lfw(tmp_path)
    pairs.write_text('1\n' + 'Ann_Lee,1,Ann_Lee,4\nAnn_Lee,1,Bo,1\n')
    assert read_lfw_pairs(pairs, tmp_path)[1] == [True, False]


def test_one_person_in_two_spellings(tmp_path: Path):
    pairs = write_lfw(tmp_path)
    pairs.write_text('1\n' + 'Ann_Lee,1,ann lee,4\nAnn_Lee,1,Bo,1\n')
    images, is_same = read_lfw_pairs(pairs, tmp_path)
    assert images[0][1].endswith('Ann_Lee/Ann_Lee_0004.png')
    assert is_same == [True, False]


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.binary(max_size=60)
    | st.lists(st.sampled_from(['1', '4', 'Ann_Lee', 'Bo', '\t', '\n', ' ', ',', '"', '-1'])).map(
        lambda words: ('1\n' + ''.join(words)).encode()
    )
)
def test_any_list_gives_pairs_or_an_error_that_names_it(tmp_path: Path, content: bytes):
    if not (tmp_path / 'pairs.txt').exists():
        write_lfw(tmp_path)
    (tmp_path / 'list.txt').write_bytes(content)
    errors = (ValueError, FileNotFoundError)
    found, error = attempt(errors, read_lfw_pairs, tmp_path / 'list.txt', tmp_path)
    if error:
        assert 'list.txt' in error
    else:
        pairs, is_same = found
        assert len(pairs) == len(is_same) > 0
        assert all(Path(path).is_file() for pair in pairs for path in pair)


def test_home_and_upper_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    write_lfw(tmp_path)
    assert len(FacePairs('~/pairs.txt', '~')) == 16
    write_bin(tmp_path / 'LFW.BIN')
    assert len(FacePairs('~/LFW.BIN')) == 12
