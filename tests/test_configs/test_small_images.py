"""Configs of small images keep them in memory by default: all can, with the pipelines they have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.configs import CONFIGS, LEAVES
from mmengine.config import Config, ConfigDict
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader

from amlfs_mm.datasets.loading.whole_batches import WholeBatchLoader, with_whole_batches

SMALL = [path for path in LEAVES if CONFIGS / 'small' in path.parents]


class Drawn(BaseDataset):
    """Four images that need no file, with all that a metric may ask for."""

    def __init__(self, size: tuple[int, int], pipeline: list) -> None:
        self.size = size
        super().__init__(pipeline=pipeline, serialize_data=False)

    def load_data_list(self) -> list[dict]:
        image = np.zeros((*self.size, 3), np.uint8)
        names = ('person_id', 'camera_id', 'role')
        return [
            dict(img=image, img_path=f'{i}.png', gt_label=i, **dict.fromkeys(names, i))
            for i in range(4)
        ]


def pipeline_in(dataset: ConfigDict) -> list[ConfigDict]:
    while 'pipeline' not in dataset:
        dataset = dataset.dataset
    return dataset.pipeline


@pytest.mark.parametrize('path', SMALL, ids=lambda path: path.stem)
def test_they_lie_in_memory(path: Path):
    cfg = Config.fromfile(path)
    for part in ('train', 'val', 'test'):
        steps = pipeline_in(cfg[f'{part}_dataloader'].dataset)
        crops = [step.crop_size for step in steps if step.type == 'RandomCrop']
        size = (crops[0], crops[0]) if crops else (24, 20)
        drawn = [step for step in steps if 'Load' not in step.type]
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            loader = DataLoader(Drawn(size, drawn), batch_size=2, collate_fn=pseudo_collate)
            loader = with_whole_batches(loader, cfg.get('in_memory_gib', 0))
        assert isinstance(loader, WholeBatchLoader), part
        assert max(loader.dataset.images.shape[2:]) < 100
        assert loader.dataset.augments == any(step.type.startswith('Random') for step in steps)
