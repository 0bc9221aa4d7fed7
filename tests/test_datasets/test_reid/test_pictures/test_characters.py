"""Drawn characters: which, in which fonts, and that no two look the same."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
from helpers.runs import run

from amlfs_mm.datasets.reid.pictures.characters import draw_characters

PICTURES = list(draw_characters())


def test_each_character_is_there_in_four_fonts_of_each_typeface():
    counts = Counter((picture.name, picture.family) for picture in PICTURES)
    assert set(counts.values()) == {4}
    assert len({family for _, family in counts}) == 4
    names = {name for name, _ in counts}
    assert len(names) > 450
    assert {'U+0041', 'U+0037', 'U+03A9', 'U+044F'} < names  # A, 7, Omega, ya
    assert 'U+0391' not in names  # the Greek capital A looks like the Latin one
    assert 'U+002B' not in names  # + is neither letter nor digit


def test_pictures():
    assert all(picture.image.shape == (48, 48, 3) for picture in PICTURES)
    darkest = np.array([picture.image.min() for picture in PICTURES])
    assert (darkest < 100).all()  # none is blank
    assert len({picture.image.tobytes() for picture in PICTURES}) > 0.99 * len(PICTURES)


def test_tool(tmp_path: Path):
    tool = [sys.executable, 'tools/converters/make_character_identities.py', tmp_path]
    done = run([*tool, '--train-identities', '10'])
    assert done.returncode == 0, done.stdout
    assert 'bounding_box_train: 160 images' in done.stdout
    again = run(tool)
    assert again.returncode != 0
    assert 'exists: remove it' in again.stdout.splitlines()[-1]
