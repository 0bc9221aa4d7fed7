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
from helpers.reid_data import DUKE, MARKET, write_image, write_names
from helpers.runs import ROOT

from amlfs_mm.datasets.reid.reid_sources import load_source

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
    root = tmp_path / '12_c3'
    write_market(root)
    with pytest.raises(ValueError, match='rename the folder'):
        load_source('market1501', root)


def test_unknown_source(tmp_path: Path):
    with pytest.raises(ValueError, match=r"'market1501'.*'market'"):
        load_source('market', tmp_path)


def test_torchreid_is_imported_only_when_used(tmp_path: Path):
    """And says what to install where it is missing."""
    write_market(tmp_path)
    script = (
        'import sys, amlfs_mm\n'
        "assert 'torchreid' not in sys.modules\n"
        "sys.modules['torchreid'] = None\n"  # how Python marks a module that cannot be imported
        'from amlfs_mm.datasets.reid.reid_sources import load_source\n'
        f"load_source('market1501', {str(tmp_path)!r})\n"
    )
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "pip install 'amlfs_mm[reid]'" in done.stderr.splitlines()[-1]
