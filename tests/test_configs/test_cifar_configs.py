"""The CIFAR-10 configs on files in their own layouts: the split, and the noise in it."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from helpers.configs import read_config
from helpers.small_data import write_archive
from mmengine.registry import DefaultScope
from mmpretrain.datasets import CIFAR10
from mmpretrain.registry import DATASETS


@pytest.fixture
def cifar10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """500 training and 100 test images; mmpretrain's check sums are set to these files'."""
    folder = tmp_path / CIFAR10.base_folder
    folder.mkdir()
    draw = np.random.default_rng(0)

    def write(name: str, content: dict) -> list[str]:
        data = pickle.dumps(content)
        (folder / name).write_bytes(data)
        return [name, hashlib.md5(data).hexdigest()]

    def batch(n: int) -> dict:
        data = draw.integers(0, 256, (n, 3072), dtype=np.uint8)
        return dict(data=data, labels=draw.integers(0, 10, n).tolist())

    train = [write(f'data_batch_{i}', batch(100)) for i in range(1, 6)]
    monkeypatch.setattr(CIFAR10, 'train_list', train)
    monkeypatch.setattr(CIFAR10, 'test_list', [write('test_batch', batch(100))])
    name, md5 = write('batches.meta', dict(label_names=list('abcdefghij')))
    monkeypatch.setattr(CIFAR10, 'meta', dict(filename=name, key='label_names', md5=md5))
    return tmp_path


def build(config: str, root: Path) -> dict:
    cfg = read_config(config)
    parts = dict(train=cfg.train_dataloader, val=cfg.val_dataloader, test=cfg.test_dataloader)
    for part in parts.values():
        dataset = part.dataset
        (dataset.dataset if 'dataset' in dataset else dataset).data_root = str(root)
    return {name: DATASETS.build(part.dataset) for name, part in parts.items()}


def infos(data) -> dict[bytes, int]:
    found = [data.get_data_info(i) for i in range(len(data))]
    return {info['img'].tobytes(): int(info['gt_label']) for info in found}


def test_d_v_is_a_tenth_of_the_training_set(cifar10: Path):
    parts = {name: infos(data) for name, data in build('amlfs_resnet20_cifar10', cifar10).items()}
    assert {name: len(part) for name, part in parts.items()} == dict(train=450, val=50, test=100)
    assert not parts['train'].keys() & parts['val'].keys()
    assert not parts['test'].keys() & (parts['train'].keys() | parts['val'].keys())
    # Drawn by a seed, not cut off: a sorted file would give a D_v of few classes.
    again = infos(build('baseline_resnet20_cifar10', cifar10)['val'])
    assert again == parts['val']


@pytest.mark.parametrize(('noise', 'expected'), [(10, 45), (20, 90)])
def test_noise_flips_training_labels_alone(cifar10: Path, noise: int, expected: int):
    parts = build(f'amlfs_resnet20_cifar10_noise{noise}', cifar10)
    flipped = {}
    for name, data in parts.items():
        labels = [int(data[i]['data_samples'].gt_label) for i in range(len(data))]
        truth = [int(data.get_data_info(i)['gt_label']) for i in range(len(data))]
        flipped[name] = sum(a != b for a, b in zip(labels, truth, strict=True))
    # Binomial: within five deviations.
    assert abs(flipped['train'] - expected) < 5 * (expected * (1 - noise / 100)) ** 0.5
    assert flipped['val'] == flipped['test'] == 0


@pytest.mark.parametrize(('name', 'shifts'), [('cifar10', False), ('cifar10_shift', True)])
def test_the_parts_of_an_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, shifts: bool
):
    """Sorted by class, as archives are: each part has all classes, and wrong labels train alone."""
    write_archive(tmp_path, 'train', sorted(list(range(10)) * 60))
    write_archive(tmp_path, 'test', list(range(10)))
    monkeypatch.setenv('DATA_ROOT', str(tmp_path))
    monkeypatch.setenv('LABEL_NOISE', '0.4')
    monkeypatch.setenv('NUM_IMAGES', '500')
    cfg = read_config(f'amlfs_resnet8_{name}')
    assert list(cfg.val_dataloader.dataset.indices) == list(range(48_000, 50_000))
    cfg.val_dataloader.dataset.indices = list(range(500, 600))  # the small file ends there
    seen, wrong, classes = {}, {}, {}
    for part in ('train', 'val', 'test'):
        with DefaultScope.overwrite_default_scope(cfg.default_scope):
            data = DATASETS.build(cfg[f'{part}_dataloader'].dataset)
        truth = [data.get_data_info(i)['gt_label'] for i in range(len(data))]
        seen[part] = {data.get_data_info(i)['img_path'] for i in range(len(data))}
        samples = [data[i] for i in range(len(data))]
        assert all(sample['inputs'].shape == (3, 32, 32) for sample in samples)
        labels = [int(sample['data_samples'].gt_label) for sample in samples]
        wrong[part] = sum(a != b for a, b in zip(labels, truth, strict=True))
        classes[part] = len(set(truth))
    assert {part: len(paths) for part, paths in seen.items()} == dict(train=500, val=100, test=10)
    assert not seen['train'] & seen['val']
    assert set(classes.values()) == {10}
    assert wrong['val'] == wrong['test'] == 0
    assert abs(wrong['train'] - 200) < 5 * (500 * 0.4 * 0.6) ** 0.5  # binomial: five deviations
    pipeline = [transform.type for transform in cfg.train_dataloader.dataset.pipeline]
    assert ('RandomCrop' in pipeline) == ('RandomFlip' in pipeline) == shifts
