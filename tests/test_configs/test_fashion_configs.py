"""Fashion-MNIST's configs on files in MNIST's own format: parts, and wrong labels."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.configs import read_config
from helpers.small_data import write_mnist
from mmpretrain.registry import DATASETS

TASKS = pytest.mark.parametrize(
    ('config', 'images'), [('amlfs_mlp_fashion', 3000), ('amlfs_resnet8_fashion', 10_000)]
)


@TASKS
def test_train_and_d_v_are_apart_and_the_test_set_is_whole(config: str, images: int):
    cfg = read_config(config)
    train, val, test = (
        loader.dataset for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader)
    )
    assert (train.split, train.indices) == ('train', images)
    assert (val.split, list(val.indices)) == ('train', list(range(50_000, 51_000)))
    assert (test.split, test.test_mode) == ('test', True)
    assert 'indices' not in test


@TASKS
def test_wrong_labels_are_in_training_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, images: int
):
    write_mnist(tmp_path, 'train', 3100)
    write_mnist(tmp_path, 't10k', 40)
    monkeypatch.setenv('DATA_ROOT', str(tmp_path))
    monkeypatch.setenv('LABEL_NOISE', '0.4')
    cfg = read_config(config)
    cfg.train_dataloader.dataset.indices = 3000
    cfg.val_dataloader.dataset.indices = list(range(3000, 3100))  # the small file ends there
    wrong = {}
    for name, size in dict(train=3000, val=100, test=40).items():
        data = DATASETS.build(cfg[f'{name}_dataloader'].dataset)
        assert len(data) == size
        labels = [int(data[i]['data_samples'].gt_label) for i in range(size)]
        wrong[name] = sum(label != i % 10 for i, label in enumerate(labels))
    assert wrong['val'] == wrong['test'] == 0
    # Binomial: within five deviations.
    assert abs(wrong['train'] - 1200) < 5 * (1200 * 0.6) ** 0.5
