"""The drawn data set: layout, numbers, and that the same arguments give the same files."""

import re
import sys
from pathlib import Path

import cv2
import pytest
from helpers.runs import run

from amlfs_mm.datasets.reid.reid_sources import load_source
from amlfs_mm.datasets.reid.synthetic.synthetic_market import write_market

SMALL = dict(train_identities=4, test_identities=3, distractors=6, junk=2)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob('*.jpg'))}


def test_layout_and_numbers(tmp_path: Path):
    folder = write_market(tmp_path, **SMALL)
    parts = {p.name: list(p.iterdir()) for p in folder.iterdir()}
    assert set(parts) == {'bounding_box_train', 'bounding_box_test', 'query'}
    for path in (path for part in parts.values() for path in part):
        assert re.fullmatch(r'(-1|\d{4})_c[1-6]s1_\d{6}_00\.jpg', path.name)
        assert cv2.imread(str(path)).shape == (128, 64, 3)
    gallery = [path.name.split('_')[0] for path in parts['bounding_box_test']]
    assert gallery.count('0000') == 6
    assert gallery.count('-1') == 2
    source = load_source('market1501', tmp_path)
    assert {p.identity for p in source.train} == set(range(4))
    assert {p.identity for p in source.query} == {5, 6, 7}
    assert {p.identity for p in source.gallery} == {0, 5, 6, 7}
    for query in source.query:
        assert any(
            p.identity == query.identity and p.camera != query.camera for p in source.gallery
        )
    assert len({(p.identity, p.camera) for p in source.query}) == len(source.query)


def test_the_seed_decides(tmp_path: Path):
    one, other, third = (
        contents(write_market(tmp_path / name, **SMALL, seed=seed))
        for name, seed in (('a', 1), ('b', 1), ('c', 2))
    )
    assert one == other
    assert set(one.values()).isdisjoint(third.values())


def test_tool(tmp_path: Path):
    tool = [sys.executable, 'tools/converters/make_synthetic_market.py', tmp_path]
    options = ['--train-identities', '3', '--test-identities', '2', '--junk', '1']
    done = run([*tool, *options, '--distractors', '2'])
    assert done.returncode == 0, done.stdout
    assert f'{tmp_path}/market1501/Market-1501-v15.09.15/query: ' in done.stdout
    again = run([*tool, *options])
    assert again.returncode != 0
    assert 'exists: remove it' in again.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    'change', [dict(train_identities=1), dict(test_identities=1500), dict(images_per_camera=1)]
)
def test_bad_numbers(tmp_path: Path, change: dict):
    with pytest.raises(ValueError, match='1501 together'):
        write_market(tmp_path, **{**SMALL, **change})
    assert not list(tmp_path.iterdir())
