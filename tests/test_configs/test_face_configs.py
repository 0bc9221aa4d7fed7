"""Every face config trains a step and is evaluated, on drawn faces in the published layouts."""

import re
from pathlib import Path

import pytest
from helpers.configs import (
    LEAVES,
    PATHS,
    header_of,
    read_config,
    read_paper_numbers,
    search_options,
)
from helpers.face_data import face_root  # noqa: F401
from helpers.one_step import build_model, evaluate, train_a_step_and_evaluate
from mmengine.config import Config
from mmengine.registry import DefaultScope

CONFIGS = sorted(
    path
    for path in LEAVES
    if re.search('sphereface20|iresnet50', path.stem)
    and not path.stem.startswith(('megaface', 'replay_'))
)
SEARCHES = [path for path in CONFIGS if not path.stem.startswith('baseline_')]


def make_small(cfg: Config) -> None:
    """As it is, but for the batch, the width, the classes, and D_v's share of so few of them."""
    cfg.train_dataloader.batch_size = 4
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.num_workers = 0
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.dataset.held_out = 0.3
    if cfg.train_dataloader.get('batch_sampler'):
        cfg.train_dataloader.batch_sampler.num_batches = 2
    cfg.model.backbone.base_channels = 4
    cfg.model.head.num_classes = 16


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_trains_a_step_and_is_evaluated(
    path: Path,
    face_root: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv('DATA_ROOT', str(face_root))
    cfg = Config.fromfile(path)
    make_small(cfg)
    val, test = train_a_step_and_evaluate(cfg)
    if cfg.get('custom_hooks'):
        assert 0 <= val[search_options(cfg)['reward']] <= 100
    assert 0 <= test['face/verification'] <= 100
    assert ('face/rank1' in test) == path.stem.endswith('_orl')


@pytest.mark.parametrize('path', SEARCHES, ids=lambda path: path.stem)
def test_a_search_is_a_baseline_plus_head_hook_and_runner(path: Path):
    model, data = path.stem.split('_')[-2:]
    plain = 'arcface' if model == 'iresnet50' else 'softmax'
    search = Config.fromfile(path)
    plain = read_config(f'baseline_{plain}_{model}_{data}')
    assert search.runner_type == 'amlfs_mm.LossSearchRunner'
    assert search_options(search)['reward'] == 'face/rank1'
    assert search.model.head.type == 'amlfs_mm.AMLFSHead'
    for key in ('num_classes', 'in_channels'):
        assert search.model.head[key] == plain.model.head[key]
    for key in ('train_dataloader', 'val_dataloader', 'optim_wrapper', 'param_scheduler'):
        assert search[key] == plain[key]
    assert search.model.backbone == plain.model.backbone


def test_papers_setting():
    """Batch 256 on 2 GPUs, 0.1 / 10 at 16k, 24k, 28k of 30k iterations; Table 3 in the headers."""
    cfg = read_config('amlfs_sphereface20_casia')
    iterations = cfg.train_dataloader.batch_sampler.num_batches
    assert cfg.train_cfg.max_epochs * iterations == 30_000
    assert [m * iterations for m in cfg.param_scheduler.milestones] == [16_000, 24_000, 28_000]
    assert cfg.train_dataloader.batch_size * cfg.loss_search.replicas_per_candidate == 256
    assert cfg.model.head.scale == 30
    assert cfg.optim_wrapper.optimizer == dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4)
    numbers = {n: v for n, v in read_paper_numbers().items() if n.endswith('_casia')}
    assert len(numbers) == 4
    for name, (number,) in ((name, v.values()) for name, v in numbers.items()):
        header = header_of(PATHS[name])
        assert 'Table 3' in header
        assert f'Expected: {number} %' in header


def test_megaface_features(
    face_root: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    faces = face_root / 'casia_webface'
    monkeypatch.setenv('FACES', str(faces))
    monkeypatch.setenv('FEATURES', str(tmp_path / 'features'))
    cfg = read_config('megaface_features_sphereface20')
    cfg.model.backbone.base_channels = 4
    cfg.test_dataloader.num_workers = 0
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = build_model(cfg).eval()
        metrics = evaluate(model, cfg.test_dataloader, cfg.test_evaluator)
    assert metrics == {'face/feature_files': 48}
    images = {f'{path.relative_to(faces)}.bin' for path in faces.rglob('*.jpg')}
    features = tmp_path / 'features'
    assert {str(path.relative_to(features)) for path in features.rglob('*.bin')} == images
