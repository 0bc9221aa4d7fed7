"""``~`` is the home directory wherever a config can have a path."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

from amlfs_mm.utils.paths import expand_home_in_config


def test_paths_of_a_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv('HOME', str(tmp_path))
    numbers = (0.9, 0.999)
    config = Config(
        dict(
            work_dir='~/runs',
            load_from='~',
            folders=['~/a', dict(root='~/b'), ('~/c', ['~/d'], dict(root='~/e'))],
            pair=('~/f', 'x/~/g'),
            nested=dict(parts=(('~/h',), 1, None)),
            kept=['~person/x', 'a~/b', '~x', 'https://x/~/y', 1.5],
            betas=numbers,
        )
    )
    expand_home_in_config(config)
    home = str(tmp_path)
    assert config.to_dict() == dict(
        work_dir=f'{home}/runs',
        load_from=home,
        folders=[
            f'{home}/a',
            dict(root=f'{home}/b'),
            (f'{home}/c', [f'{home}/d'], dict(root=f'{home}/e')),
        ],
        pair=(f'{home}/f', 'x/~/g'),
        nested=dict(parts=((f'{home}/h',), 1, None)),
        kept=['~person/x', 'a~/b', '~x', 'https://x/~/y', 1.5],
        betas=numbers,
    )
