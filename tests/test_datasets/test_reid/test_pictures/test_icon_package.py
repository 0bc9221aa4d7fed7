"""Icons of a package in @iconify/json's layout: which are taken, and how they are drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.icon_data import DISC, RECTANGLE, RED, write_set
from helpers.runs import ROOT

from amlfs_mm.datasets.reid.pictures.icon_package import read_arrays, read_names, read_package
from amlfs_mm.datasets.reid.pictures.picture_market import Picture

pytest.importorskip('resvg_py')
NONE: frozenset[str] = frozenset()
INK, WHITE = [32] * 3, [255] * 3


def read(folder: Path, **names: frozenset[str]) -> list[Picture]:
    return list(read_package(folder, names or dict(disc=NONE)))


def test_names_families_and_sets_left_out(tmp_path: Path):
    write_set(tmp_path, 'b-set', dict(disc=DISC, other=DISC), author='Ann')
    write_set(tmp_path, 'a-set', dict(disc=DISC), author='Ann')
    write_set(tmp_path, 'c-set', dict(disc=DISC), author='Bob')
    write_set(tmp_path, 'd-set', dict(disc=dict(body=DISC, hidden=True)), author='Cid')
    write_set(tmp_path, 'e-set', dict(disc=DISC), info=dict(license=dict(spdx='GPL-3.0')))
    write_set(tmp_path, 'f-set', dict(disc=DISC), info=dict(license=dict(title='ask me')))
    found = [(icon.name, icon.family) for icon in read(tmp_path)]
    assert found == [('disc', 'Ann'), ('disc', 'Ann'), ('disc', 'Bob')]
    found = [icon.family for icon in read(tmp_path, disc=frozenset(['a-set', 'c-set']))]
    assert found == ['Ann']


def test_ink_colours_and_background(tmp_path: Path):
    write_set(tmp_path, 'a', dict(disc=DISC, full=RECTANGLE, red=RED))
    icons = {icon.name: icon.image for icon in read(tmp_path, disc=NONE, full=NONE, red=NONE)}
    assert all(image.shape == (48, 48, 3) for image in icons.values())
    assert (icons['full'] == INK).all()
    assert (icons['red'] == [255, 0, 0]).all()  # RGB
    disc = icons['disc']
    assert (disc[24, 24] == INK).all()
    assert (disc[[0, 0, 47, 47], [0, 47, 0, 47]] == WHITE).all()
    # Of radius 6 of 16: pi 18^2 pixels.
    assert (disc[..., 0] < 128).sum() == pytest.approx(np.pi * 18**2, rel=0.02)


@pytest.mark.parametrize('at', ['icon', 'set'])
def test_an_icon_is_as_large_as_fits_and_in_the_middle(tmp_path: Path, at: str):
    """20 x 10 becomes 48 x 24; its view begins at (100, 200)."""
    view = dict(left=100, top=200, width=20, height=10)
    body = '<path fill="currentColor" d="M100 200h20v10h-20z"/>'
    of_icon, of_set = (view, {}) if at == 'icon' else ({}, view)
    write_set(tmp_path, 'a', dict(disc=dict(body=body, **of_icon)), **of_set)
    (icon,) = read(tmp_path)
    expected = np.full((48, 48, 3), 255)
    expected[12:36] = 32
    np.testing.assert_array_equal(icon.image, expected)


def test_bad_sets_are_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r'holds no json/<set>\.json.*npm install'):
        read(tmp_path)
    write_set(tmp_path, 'a', dict(disc='<path d="M0 0'))
    with pytest.raises(ValueError, match=r'a\.json: disc cannot be drawn'):
        read(tmp_path)
    path = tmp_path / 'json/a.json'
    path.write_text(path.read_text()[:-10])
    with pytest.raises(ValueError, match=r'a\.json is no icon set .* unpack it anew'):
        read(tmp_path)
    path.write_text('{"info": {}}')
    with pytest.raises(ValueError, match=r'a\.json is no icon set'):
        read(tmp_path)


def test_lists_of_names(tmp_path: Path):
    path = tmp_path / 'names.txt'
    path.write_text('# comment\nanchor\n\nball a b\n')
    assert read_names(path) == dict(anchor=NONE, ball=frozenset('ab'))
    path.write_text('anchor\nball\nanchor a\n')
    with pytest.raises(ValueError, match="line 3: the name 'anchor' is there twice"):
        read_names(path)
    path.write_text('# none\n')
    with pytest.raises(ValueError, match='has no name'):
        read_names(path)


def test_the_list_of_icons48():
    names = read_names(ROOT / 'tools/converters/icons48.txt')
    assert len(names) == 600
    assert {'anchor', 'zoom-out'} < names.keys()
    assert sum(map(len, names.values())) == 954


def test_an_archive_of_drawn_icons(tmp_path: Path):
    image = np.random.default_rng(0).integers(256, size=(3, 48, 48, 3), dtype=np.uint8)
    arrays = dict(
        image=image,
        label=np.array([1, 0, 1]),
        family=np.array([0, 2, 1]),
        label_names=np.array(['a', 'b']),
        family_names=np.array(['x', 'y', 'z']),
    )
    path = tmp_path / 'icons.npz'
    np.savez(path, **arrays)
    icons = list(read_arrays(path))
    assert [(icon.name, icon.family) for icon in icons] == [('b', 'x'), ('a', 'z'), ('b', 'y')]
    np.testing.assert_array_equal([icon.image for icon in icons], image)
    np.savez(path, **{**arrays, 'image': image[..., :1]})
    with pytest.raises(ValueError, match=r"'image' must be \(N, 48, 48, 3\) uint8"):
        read_arrays(path)
    np.savez(path, image=image)
    with pytest.raises(ValueError, match=r'icons\.npz is no archive of icons'):
        read_arrays(path)
