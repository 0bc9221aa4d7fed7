"""Every config of icons and of characters trains a step and is evaluated, on such pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.configs import LEAVES, read_config, search_options
from helpers.one_step import train_a_step_and_evaluate
from mmengine.config import Config

from amlfs_mm.datasets.reid.pictures.picture_market import Picture, write_pictures

CONFIGS = [
    path
    for path in LEAVES
    if path.parent.name in ('icons', 'characters') and not path.stem.startswith('replay_')
]
SHAPE = (48, 48, 3)
NO_SEARCH = ('baseline_', 'am_softmax_', 'focal_')


@pytest.fixture(scope='module')
def pictures_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 identities by 8 cameras, more than Market-1501 has; 8 train."""
    draw = np.random.default_rng(0)
    pictures = [
        Picture(
            f'{identity:02d}', f'{family}', draw.integers(256, size=(48, 48, 3), dtype=np.uint8)
        )
        for identity in range(12)
        for family in range(8)
    ]
    root = tmp_path_factory.mktemp('pictures')
    write_pictures(root, pictures, train_identities=8)
    return root


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_trains_a_step_and_is_evaluated(
    path: Path, pictures_root: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv('DATA_ROOT', str(pictures_root))
    cfg = Config.fromfile(path)
    assert cfg.model.head.scale == 16
    assert cfg.train_dataloader.dataset.held_out == cfg.val_dataloader.dataset.held_out > 0
    parts = [cfg[f'{part}_dataloader'].dataset.part for part in ('train', 'val', 'test')]
    assert parts == ['train', 'val', 'test']
    cfg.train_dataloader.batch_size = 8
    for metrics in train_a_step_and_evaluate(cfg):
        assert 0 < metrics['reid/mAP'] < 100
        if not path.stem.startswith(NO_SEARCH):
            assert search_options(cfg)['reward'] in metrics


@pytest.mark.parametrize(('name', 'identities'), [('icons', 400), ('characters', 250)])
def test_the_head_has_the_classes_that_are_left_to_train(name: str, identities: int):
    """As many identities are in the training part as the tool puts there if it is not told."""
    cfg = read_config(f'baseline_resnet8_{name}')
    assert cfg.model.head.num_classes == identities * (1 - cfg.train_dataloader.dataset.held_out)
