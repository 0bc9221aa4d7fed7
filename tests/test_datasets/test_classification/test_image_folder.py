from pathlib import Path

import mmcv
import numpy as np
import pytest

from amlfs_mm.datasets import ImageFolder


def test_classes_in_sorted_order(tmp_path: Path):
    for label, name in enumerate(['ant', 'bee', 'cow']):
        for i in range(2):
            image = np.full((5, 4, 3), 80 * label + i, np.uint8)
            mmcv.imwrite(image, str(tmp_path / 'train' / name / f'{i}.png'))
    data = ImageFolder(str(tmp_path), 'train', pipeline=[dict(type='LoadImageFromFile')])
    assert data.metainfo['classes'] == ('ant', 'bee', 'cow')
    assert [data[i]['gt_label'] for i in range(6)] == [0, 0, 1, 1, 2, 2]
    assert [int(data[i]['img'][0, 0, 0]) for i in range(6)] == [0, 1, 80, 81, 160, 161]


def test_missing_and_empty_folders(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"no folder '.*/val'.*<class>.*DATA_ROOT"):
        ImageFolder(str(tmp_path), 'val')
    (tmp_path / 'val' / 'ant').mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match='holds no class with images'):
        ImageFolder(str(tmp_path), 'val')
