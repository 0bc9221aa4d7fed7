"""Icons in Market-1501's layout: who is who, disjoint parts, and that the seed decides."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.icon_data import write_names, write_package
from helpers.runs import run
from PIL import Image

from amlfs_mm.datasets.reid.pictures.picture_market import Picture, write_pictures
from amlfs_mm.datasets.reid.reid_sources import load_source

SHAPE = (48, 48, 3)
DRAW = np.random.default_rng(0)
ICONS = [
    Picture(
        f'name {identity}', f'family {family}', DRAW.integers(256, size=(48, 48, 3), dtype='uint8')
    )
    for identity in range(6)
    for family in (0, 1, 7)
    for _ in range(2)
]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob('*') if p.is_file()}


def test_layout(tmp_path: Path):
    folder = write_pictures(tmp_path, ICONS, train_identities=4)
    source = load_source('market1501', tmp_path, own_data=True)
    assert {p.identity for p in source.train} == set(range(4))
    assert len(source.train) == 24
    assert len(source.query) == 6  # one for each camera, as each has two images
    assert len(source.gallery) == 6
    assert {p.camera for part in source for p in part} == {0, 1, 2}
    (tested,) = [{p.identity for p in part} for part in (source.query,)]
    assert {p.identity for p in source.gallery} == tested
    identities, cameras = (
        dict(line.split(' ', 1) for line in (folder / name).read_text().splitlines())
        for name in ('identities.txt', 'cameras.txt')
    )
    assert cameras == {'1': 'family 0', '2': 'family 1', '3': 'family 7'}
    of = {icon.image.tobytes(): icon for icon in ICONS}
    parts = {path: path.parent.name for path in folder.glob('*/*.png')}
    assert len(parts) == len(ICONS)
    in_training = set()
    for path, part in parts.items():
        identity, camera, *_ = path.stem.split('_')
        icon = of[np.asarray(Image.open(path)).tobytes()]
        assert identities[str(int(identity))] == icon.name
        assert cameras[camera.removeprefix('c').removesuffix('s1')] == icon.family
        if part == 'bounding_box_train':
            in_training.add(int(identity))
    assert len(in_training) == 4
    assert not in_training & tested


def test_the_seed_decides_and_the_order_of_the_icons_does_not(tmp_path: Path):
    one, same, other = (
        contents(write_pictures(tmp_path / name, icons, 3, seed=seed))
        for name, icons, seed in (('a', ICONS, 0), ('b', ICONS[::-1], 0), ('c', ICONS, 1))
    )
    assert one == same
    assert one.keys() != other.keys()


@pytest.mark.parametrize('count', [1, 5])
def test_too_few_identities(tmp_path: Path, count: int):
    with pytest.raises(ValueError, match=f'train_identities={count} of 6'):
        write_pictures(tmp_path, ICONS, train_identities=count)
    assert not list(tmp_path.iterdir())


def test_tool(tmp_path: Path):
    pytest.importorskip('resvg_py')
    write_package(tmp_path / 'package')
    write_names(tmp_path / 'names.txt')
    tool = [sys.executable, 'tools/converters/make_icon_identities.py', tmp_path / 'package']
    options = ['--names', tmp_path / 'names.txt', '--train-identities', '8']
    done = run([*tool, tmp_path / 'data', *options])
    assert done.returncode == 0, done.stdout
    assert '39 icons of 12 identities by 3 families' in done.stdout
    again = run([*tool, tmp_path / 'data', *options])
    assert again.returncode != 0
    assert 'exists: remove it' in again.stdout.splitlines()[-1]
    nothing = run([*tool[:2], tmp_path / 'data', tmp_path / 'more', *options])
    assert 'make_icon_identities.py: ' in nothing.stdout.splitlines()[-1]
    assert 'npm install @iconify/json' in nothing.stdout.splitlines()[-1]
