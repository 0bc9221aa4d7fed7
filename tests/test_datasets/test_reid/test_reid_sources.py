"""The published layouts: what is read, in which order, and what is refused."""

import json
import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.logs import log  # noqa: F401
from helpers.reid_data import DUKE, MARKET, people_root, write_image, write_names  # noqa: F401
from helpers.runs import ROOT

from amlfs_mm.datasets import ReIDDataset
from amlfs_mm.datasets.reid.reid_sources import Person, Source, load_source
from amlfs_mm.datasets.reid.synthetic.synthetic_market import write_market as write_synthetic
from amlfs_mm.utils.optional_imports import import_torchreid

TRAIN = ['0007_c1s1_000001_00.jpg', '0007_c2s1_000002_00.jpg', '0002_c3s2_000003_01.jpg']
QUERY = ['0005_c1s1_000001_00.jpg']
GALLERY = [
    '0005_c2s1_000001_00.jpg',
    '0000_c6s1_000009_00.jpg',
    '-1_c3s1_000004_00.jpg',
    '0003_c4s1_000004_00.jpg',
]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt at a download fails the test."""

    def refuse(*args, **kwargs):
        raise AssertionError('something tried to use the network')

    monkeypatch.setattr(socket, 'create_connection', refuse)
    monkeypatch.setattr(socket.socket, 'connect', refuse)


def write_market(root: Path, **changes: list[str]) -> None:
    parts = dict(bounding_box_train=TRAIN, bounding_box_test=GALLERY, query=QUERY)
    write_names(root / MARKET, **{**parts, **changes})


def names(people: list) -> list[str]:
    return [Path(person.path).name for person in people]


def test_market(tmp_path: Path):
    write_market(tmp_path)
    source = load_source('market1501', tmp_path)
    assert names(source.train) == [TRAIN[2], TRAIN[0], TRAIN[1]]
    assert [(p.identity, p.camera) for p in source.train] == [(0, 2), (1, 0), (1, 1)]
    assert [(p.identity, p.camera) for p in source.query] == [(5, 0)]
    # Distractors (0) stay, junk (-1) goes.
    assert [(p.identity, p.camera) for p in source.gallery] == [(0, 5), (3, 3), (5, 1)]


def test_market_without_the_versions_folder(tmp_path: Path, recwarn: pytest.WarningsRecorder):
    parts = dict(bounding_box_train=TRAIN, bounding_box_test=GALLERY, query=QUERY)
    write_names(tmp_path / 'market1501', **parts)
    assert names(load_source('market1501', tmp_path).query) == QUERY
    assert not recwarn.list


def test_duke(tmp_path: Path):
    write_names(
        tmp_path / DUKE,
        bounding_box_train=['0014_c8_f0046182.jpg', '0001_c2_f0046302.jpg'],
        bounding_box_test=['0005_c2_f0046985.jpg', '7000_c1_f0000001.jpg'],  # a distractor identity
        query=['0005_c1_f0051341.jpg'],
    )
    source = load_source('dukemtmcreid', tmp_path)
    assert [(p.identity, p.camera) for p in source.train] == [(0, 1), (1, 7)]
    assert [(p.identity, p.camera) for p in source.query] == [(5, 0)]
    assert [(p.identity, p.camera) for p in source.gallery] == [(5, 1), (7000, 0)]


def test_msmt17(tmp_path: Path):
    main = tmp_path / 'msmt17' / 'MSMT17_V1'
    listed = dict(
        train=['0001/0001_001_05_0303noon_0008_0.jpg 1', '0000/0000_000_01_0303noon_0008_0.jpg 0'],
        val=['0000/0000_001_02_0303noon_0009_0.jpg 0'],
        query=['0000/0000_000_14_0303noon_0010_0.jpg 0'],
        gallery=['0000/0000_001_15_0303noon_0010_0.jpg 0'],
    )
    for part, lines in listed.items():
        folder = main / ('train' if part in ('train', 'val') else 'test')
        for line in lines:
            write_image(folder / line.split()[0])
        (main / f'list_{part}.txt').write_text(''.join(f'{line}\n' for line in lines))
    source = load_source('msmt17', tmp_path)
    assert [(p.identity, p.camera) for p in source.train] == [(0, 0), (1, 4)]
    assert [(p.identity, p.camera) for p in source.gallery] == [(0, 14)]


def test_cuhk03(tmp_path: Path):
    """Once extracted by torchreid, which needs the published Matlab files."""
    folder = tmp_path / 'cuhk03'
    for name in ('images_labeled', 'images_detected', 'cuhk03_release'):
        (folder / name).mkdir(parents=True)
    for name in ('cuhk03_release/cuhk-03.mat', 'cuhk03_new_protocol_config_detected.mat'):
        (folder / name).write_bytes(b'')
    with pytest.raises(FileNotFoundError, match=r'config_labeled.mat   \(missing\)'):
        load_source('cuhk03', tmp_path)
    (folder / 'cuhk03_new_protocol_config_labeled.mat').write_bytes(b'')
    image = str(folder / 'images_detected' / '1_001_1_01.png')
    split = dict(train=[[image, 0, 0]], query=[[image, 3, 0]], gallery=[[image, 3, 1]])
    for name in ('classic_detected', 'classic_labeled', 'new_detected', 'new_labeled'):
        (folder / f'splits_{name}.json').write_text(json.dumps([split]))
    source = load_source('cuhk03', tmp_path, cuhk03_labeled=True)
    assert [(p.identity, p.camera) for p in source.gallery] == [(3, 1)]


def test_the_order_is_not_the_file_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    draw = np.random.default_rng(0)
    train = [f'{i:04d}_c{draw.integers(1, 7)}s1_{j:06d}_00.jpg' for i in range(9) for j in range(3)]
    write_market(tmp_path, bounding_box_train=train)
    expected = load_source('market1501', tmp_path)
    assert names(expected.train) == sorted(names(expected.train))
    scandir = os.scandir
    for seed in range(3):

        class Shuffled:
            def __init__(self, path, seed=seed):
                self.entries = list(scandir(path))
                random.Random(seed).shuffle(self.entries)

            def __enter__(self):
                return iter(self.entries)

            def __exit__(self, *args):
                pass

            __iter__ = __enter__

        monkeypatch.setattr(os, 'scandir', Shuffled)
        assert load_source('market1501', tmp_path) == expected


@pytest.mark.parametrize('name', ['market1501', 'dukemtmcreid', 'msmt17', 'cuhk03'])
def test_a_missing_data_set_shows_the_tree(tmp_path: Path, name: str):
    before = list(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError, match=r'(?s)Expected this tree.*\(missing\)') as error:
        load_source(name, tmp_path)
    assert str(tmp_path) in str(error.value)
    assert 'DATA_ROOT' in str(error.value)
    assert list(tmp_path.iterdir()) == before  # torchreid would make a folder for its download


def test_a_missing_part(tmp_path: Path):
    write_market(tmp_path)
    for path in (tmp_path / MARKET / 'query').iterdir():
        path.unlink()
    with pytest.raises(FileNotFoundError, match=r'query holds no image \(\*.jpg\) of a person$'):
        load_source('market1501', tmp_path)
    (tmp_path / MARKET / 'query').rmdir()
    with pytest.raises(FileNotFoundError, match=r'query   \(missing\)'):
        load_source('market1501', tmp_path)


def test_a_gallery_of_junk(tmp_path: Path):
    write_market(tmp_path, bounding_box_test=['-1_c3s1_000004_00.jpg'])
    with pytest.raises(FileNotFoundError, match='only junk'):
        load_source('market1501', tmp_path)


@pytest.mark.parametrize('name', ['photo.jpg', '0001c1.jpg', '0001_c7s1_1_00.jpg', '0001_c0s1.jpg'])
def test_a_name_that_says_nothing(tmp_path: Path, name: str):
    write_market(tmp_path, bounding_box_train=[*TRAIN, name])
    with pytest.raises(ValueError, match=rf'{name} is not named.*camera from 1 to 6'):
        load_source('market1501', tmp_path)


def test_a_folder_that_looks_like_an_image(tmp_path: Path):
    """torchreid looks for identity and camera in the whole path."""
    write_market(tmp_path / '12_c3')
    source = load_source('market1501', tmp_path / '12_c3')
    assert [(p.identity, p.camera) for p in source.query] == [(5, 0)]


def test_unknown_source(tmp_path: Path):
    with pytest.raises(ValueError, match=r"'market1501'.*'market'"):
        load_source('market', tmp_path)


def test_torchreid_is_imported_only_when_used(tmp_path: Path):
    """And says what to install where it is missing."""
    folder = tmp_path / 'cuhk03'
    (folder / 'cuhk03_release').mkdir(parents=True)
    for name in ('cuhk03_release/cuhk-03.mat', 'cuhk03_new_protocol_config_detected.mat'):
        (folder / name).write_bytes(b'')
    (folder / 'cuhk03_new_protocol_config_labeled.mat').write_bytes(b'')
    script = (
        'import sys, amlfs_mm\n'
        "assert 'torchreid' not in sys.modules\n"
        "sys.modules['torchreid'] = None\n"  # how Python marks a module that cannot be imported
        'from amlfs_mm.datasets.reid.reid_sources import load_source\n'
        f"load_source('cuhk03', {str(tmp_path)!r})\n"
    )
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "pip install 'amlfs_mm[reid]'" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize('options', [{}, dict(combineall=True), dict(market1501_500k=True)])
def test_market_is_as_torchreid_reads_it(tmp_path: Path, options: dict):
    write_market(tmp_path)
    write_names(tmp_path / MARKET, images=['0000_c1s3_000004_00.jpg'])
    assert load_source('market1501', tmp_path, **options) == of_torchreid(
        'market1501', tmp_path, **options
    )


@pytest.mark.parametrize('combineall', [False, True])
def test_duke_is_as_torchreid_reads_it(people_root: Path, combineall: bool):  # noqa: F811
    found = load_source('dukemtmcreid', people_root, combineall=combineall)
    assert found == of_torchreid('dukemtmcreid', people_root, combineall=combineall)


@pytest.mark.parametrize('version', ['MSMT17_V1', 'MSMT17_V2'])
@pytest.mark.parametrize('combineall', [False, True])
def test_msmt17_is_as_torchreid_reads_it(tmp_path: Path, version: str, combineall: bool):
    write_msmt17(tmp_path, version)
    found = load_source('msmt17', tmp_path, combineall=combineall)
    assert found == of_torchreid('msmt17', tmp_path, combineall=combineall)


def of_torchreid(name: str, root: Path, **options) -> Source:
    """What torchreid's own class finds, sorted, with training identities numbered in that order."""
    datasets = import_torchreid('data.datasets')
    data = datasets.init_image_dataset(name, root=str(root), verbose=False, **options)
    parts = [
        sorted(Person(*item[:3]) for item in part)
        for part in (data.train, data.query, data.gallery)
    ]
    order = list(dict.fromkeys(person.identity for person in parts[0]))
    parts[0] = [person._replace(identity=order.index(person.identity)) for person in parts[0]]
    return Source(*parts)


def write_msmt17(root: Path, version: str = 'MSMT17_V1', **changes: str) -> Path:
    """An MSMT17 of a few images, some of its lists replaced."""
    main = root / 'msmt17' / version
    listed = dict(
        train='0001/0001_001_05_0303noon_0008_0.jpg 1\n0000/0000_000_01_0303noon_0008_0.jpg 0\n',
        val='0000/0000_000_02_0303noon_0009_0.jpg 0\n',
        query='0000/0000_000_14_0303noon_0010_0.jpg 0\n',
        gallery='0000/0000_001_15_0303noon_0010_0.jpg 0\n',
    )
    folders = ('train', 'test') if version.endswith('V1') else ('mask_train_v2', 'mask_test_v2')
    for part, text in listed.items():
        folder = main / folders[part in ('query', 'gallery')]
        for line in text.splitlines():
            write_image(folder / line.split()[0])
        (main / f'list_{part}.txt').write_bytes(changes.get(part, text).encode())
    return main


# Folders as people have them.


def test_images_of_every_extension_count(tmp_path: Path):
    """Upper case and other formats are images too; hidden files and the system's are not."""
    names = ['0007_c1s1_1_00.JPG', '0007_c2s1_2_00.png', '0002_c3s2_3_01.jpeg', '0003_c1s1_4.BMP']
    write_market(tmp_path, bounding_box_train=names)
    folder = tmp_path / MARKET / 'bounding_box_train'
    for name in ('._0007_c1s1_1_00.JPG', '.DS_Store', 'Thumbs.db', 'desktop.ini'):
        (folder / name).write_bytes(b'x')
    (folder / '.ipynb_checkpoints').mkdir()
    write_image(folder / '.ipynb_checkpoints' / '0009_c1s1_1_00.jpg')
    assert names_of(load_source('market1501', tmp_path).train) == sorted(names)


def test_what_is_left_out_is_said(tmp_path: Path, log):  # noqa: F811
    write_market(tmp_path)
    write_image(tmp_path / MARKET / 'query' / 'more' / '0005_c1s1_000001_00.jpg')
    (tmp_path / MARKET / 'query' / 'notes.TXT').write_text('x')
    load_source('market1501', tmp_path)
    assert "query': 2 files or folders are left out" in log.text
    assert '1 .txt' in log.text


def test_cameras_from_ten_up(tmp_path: Path):
    names = ['0002_c10s1_000451_03.jpg', '0002_c1s1_000451_03.jpg', '0003_c123_f0.jpg']
    write_market(tmp_path, bounding_box_train=names)
    source = load_source('market1501', tmp_path, own_data=True)
    assert sorted(p.camera for p in source.train) == [0, 9, 122]
    with pytest.raises(ValueError, match=r'0002_c10s1\S* .*camera from 1 to 6, but 10.*own_data=T'):
        load_source('market1501', tmp_path)
    write_names(tmp_path / DUKE, bounding_box_train=['0001_c9_f1.jpg'])
    write_names(tmp_path / DUKE, bounding_box_test=['0005_c2_f1.jpg'], query=['0005_c1_f1.jpg'])
    with pytest.raises(ValueError, match=r'0001_c9_f1\.jpg .*camera from 1 to 8, but 9'):
        load_source('dukemtmcreid', tmp_path)
    assert load_source('dukemtmcreid', tmp_path, own_data=True).train[0].camera == 8


def test_identities_above_those_of_the_published_data(tmp_path: Path):
    write_market(tmp_path, bounding_box_train=[*TRAIN, '1502_c1s1_000001_00.jpg'])
    with pytest.raises(
        ValueError, match=r'1502_c1\S* has the identity 1502.* go up to 1501.*own_d'
    ):
        load_source('market1501', tmp_path)
    data = ReIDDataset('market1501', str(tmp_path), 'train', held_out=0, own_data=True)
    assert data.metainfo['classes'] == ('0', '1', '2')


def test_cameras_of_own_data_start_at_one(tmp_path: Path):
    write_market(tmp_path, bounding_box_train=['0001_c0s1_1.jpg'])
    with pytest.raises(ValueError, match=r'0001_c0s1_1\.jpg .*camera from 1, but 0'):
        load_source('market1501', tmp_path, own_data=True)


@pytest.mark.parametrize(
    'text',
    [
        '{0} 1\n{1} 0\n\n',  # a blank last line
        '\ufeff{0} 1\r\n{1} 0\r\n',
        '{0}\t1\n{1}\t0',
        '"{0}",1\n"{1}",0\n',
        '{0}   1  \n  {1} 0\n \t\n',
        './{0} 1\n./{1} 0\n',
    ],
)
def test_lists_of_msmt17_as_people_write_them(tmp_path: Path, text: str):
    paths = '0001/0001_001_05_0303noon_0008_0.jpg', '0000/0000_000_01_0303noon_0008_0.jpg'
    write_msmt17(tmp_path / 'other')
    write_msmt17(tmp_path, train=text.format(*paths))
    found, expected = load_source('msmt17', tmp_path), load_source('msmt17', tmp_path / 'other')
    assert [p[1:] for p in found.train] == [p[1:] for p in expected.train]
    windows = text.format(*(path.replace('/', '\\').replace('.jpg', '.JPG') for path in paths))
    write_msmt17(tmp_path, train=windows)
    assert load_source('msmt17', tmp_path) == found


def test_a_path_with_a_space_in_a_list_of_msmt17(tmp_path: Path):
    name = 'my people/0001_001_05_0303noon.jpg'
    main = write_msmt17(tmp_path, train=f'{name} 1\n')
    write_image(main / 'train' / name)
    (person,) = load_source('msmt17', tmp_path).train
    assert (person.path, person.camera) == (str(main / 'train' / name), 4)


@pytest.mark.parametrize(
    ('line', 'error', 'says'),
    [
        ('0001/none_1_05_x.jpg 1', FileNotFoundError, r"there is no image '0001/none_1_05_x\.jpg'"),
        ('0001/0001_001_05_0303noon_0008_0.jpg', ValueError, 'is not <path> <label>'),
        ('0001/0001_001_05_0303noon_0008_0.jpg one', ValueError, 'is not <path> <label>'),
        ('0001/0001_001_05_0303noon_0008_0.jpg 1.5', ValueError, 'is not <path> <label>'),
        ('0001/0001_001_05_0303noon_0008_0.jpg -1', ValueError, 'the label -1; labels go from 0'),
        ('0001/0001.jpg 1', ValueError, 'no camera as the third field'),
        ('0000\\0000_000_01_0303noon_0008_0.JPG 1', ValueError, 'the label 1, but 0 in line 1'),
        ('0001/0001_001_16_x.jpg 1', ValueError, r'camera from 1 to 15, but 16.*own_data=True'),
    ],
)
def test_wrong_lines_of_msmt17(tmp_path: Path, line: str, error: type, says: str):
    good = '0000/0000_000_01_0303noon_0008_0.jpg 0'
    write_msmt17(tmp_path, train=f'{good}\n\n{line}\n')
    with pytest.raises(error, match=rf'list_train\.txt, line 3: .*{says}'):
        load_source('msmt17', tmp_path)


def test_parts_that_are_no_folders(tmp_path: Path):
    write_market(tmp_path)
    for path in (tmp_path / MARKET / 'query').iterdir():
        path.unlink()
    (tmp_path / MARKET / 'query').rmdir()
    (tmp_path / MARKET / 'query').write_text('a file')
    with pytest.raises(FileNotFoundError, match=r'query   \(missing\)'):
        load_source('market1501', tmp_path)
    main = write_msmt17(tmp_path)
    (main / 'test').rename(main / 'tests')
    with pytest.raises(FileNotFoundError, match=r'test   \(missing\)'):
        load_source('msmt17', tmp_path)


def test_links(tmp_path: Path):
    write_market(tmp_path / 'there')
    (tmp_path / 'here' / 'market1501').mkdir(parents=True)
    (tmp_path / 'here' / MARKET).symlink_to(tmp_path / 'there' / MARKET)
    link = tmp_path / 'there' / MARKET / 'query' / '0005_c3s1_000001_00.jpg'
    link.symlink_to(tmp_path / 'there' / MARKET / 'query' / QUERY[0])
    assert len(load_source('market1501', tmp_path / 'here').query) == 2
    (tmp_path / 'there' / MARKET / 'query' / QUERY[0]).unlink()
    with pytest.raises(FileNotFoundError, match=r'0005_c3s1_000001_00\.jpg is a link to .* not th'):
        load_source('market1501', tmp_path / 'here')


def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    write_market(tmp_path / 'data')
    assert len(ReIDDataset('market1501', '~/data', 'test')) == 4
    write_synthetic('~/drawn', 2, 2, distractors=1, junk=1)
    assert (tmp_path / 'drawn' / MARKET / 'query').is_dir()


def test_options_that_are_not_there(tmp_path: Path):
    write_market(tmp_path)
    with pytest.raises(TypeError, match='combine_all'):
        load_source('market1501', tmp_path, combine_all=True)
    with pytest.raises(ValueError, match='cuhk03 has none'):
        load_source('cuhk03', tmp_path, own_data=True)


def names_of(people: list) -> list[str]:
    return sorted(Path(person.path).name for person in people)
