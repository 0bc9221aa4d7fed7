"""Every re-identification config trains a step and is evaluated, on data in their layout."""

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
from helpers.one_step import train_a_step_and_evaluate
from helpers.reid_data import people_root  # noqa: F401
from mmengine.config import Config

MODEL_NAMES = ('spherereid', 'sft', 'mgn')
CONFIGS = sorted(path for path in LEAVES if any(f'_{name}_' in path.stem for name in MODEL_NAMES))
ABLATION = re.compile(r'_[bm]\d+$|^(null_reward|from_am_softmax|replay)_|_mgn_duke$')
NO_SEARCH = ('am_softmax_', 'baseline_', 'replay_')
SEARCHES = [path for path in CONFIGS if not path.stem.startswith(NO_SEARCH)]

# The paper's Tables 4 to 7 and section 4.6: mAP, rank-1, and of MGN the re-ranked (RK) ones.
EXPECTED = {name: numbers for name, numbers in read_paper_numbers().items() if 'mAP' in numbers}


@pytest.mark.parametrize(
    'path',
    [
        # An ablation's model is its search's, or has another number of intervals; MGN's are large.
        pytest.param(path, marks=pytest.mark.slow) if ABLATION.search(path.stem) else path
        for path in CONFIGS
    ],
    ids=lambda path: path.stem,
)
def test_trains_a_step_and_is_evaluated(
    path: Path,
    people_root: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
):
    """As it is, but for the images' size, the batch, and weights that would be downloaded."""
    monkeypatch.setenv('DATA_ROOT', str(people_root))
    cfg = Config.fromfile(path)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.num_workers = 0
        for transform in loader.dataset.pipeline:
            if transform.type == 'Resize':
                transform.scale = (32, 64)
            elif transform.type == 'RandomCrop':
                transform.crop_size = (56, 28)
    cfg.train_dataloader.batch_size = 2 * cfg.train_dataloader.batch_sampler.num_instances
    cfg.model.backbone.init_cfg = None
    for metrics in train_a_step_and_evaluate(cfg):
        assert 0 < metrics['reid/mAP'] < 100
        if path in SEARCHES:
            assert search_options(cfg)['reward'] in metrics


@pytest.mark.parametrize('path', SEARCHES, ids=lambda path: path.stem)
def test_a_search_is_its_baseline_plus_head_hook_and_runner(path: Path):
    model, data = re.search('_(spherereid|sft|mgn)_([a-z]+)', path.stem).groups()
    search, plain = Config.fromfile(path), read_config(f'baseline_{model}_{data}')
    assert search.runner_type == 'amlfs_mm.LossSearchRunner'
    assert search_options(search)['reward'] == 'reid/mAP'
    head = search.model.head if model == 'spherereid' else search.model.head.classifier
    assert head.type == 'amlfs_mm.AMLFSHead'
    searched = head.to_dict()
    head = plain.model.head if model == 'spherereid' else plain.model.head.classifier
    assert searched.get('scale') == head.get('scale')
    for added in ('runner_type', 'loss_search', 'custom_hooks', 'classifier'):
        search.pop(added, None)
    search.model.head, plain.model.head = None, None
    assert search.to_dict() == plain.to_dict()


@pytest.mark.parametrize('name', EXPECTED)
def test_the_header_has_the_papers_numbers(name: str):
    header, numbers = header_of(PATHS[name]), EXPECTED[name]
    assert f'Expected: {numbers["mAP"]} % mAP' in header
    if 'rank1' in numbers:
        assert f', {numbers["rank1"]} % rank-1' in header
    if 'mAP_reranked' in numbers:
        both = f'{numbers["mAP_reranked"]} and {numbers["rank1_reranked"]}'
        assert f'; {both} re-ranked (RK)' in header


def test_ablations():
    """Tables 6 and 7: nothing else changes."""
    for data in ('market', 'duke'):
        full = read_config(f'amlfs_spherereid_{data}').to_dict()
        assert full['loss_search']['num_candidates'] == 32
        assert full['model']['head']['num_intervals'] == 6
        for b in (4, 8, 16):
            cfg = read_config(f'amlfs_spherereid_{data}_b{b}').to_dict()
            assert cfg['loss_search'].pop('num_candidates') == b
            cfg['loss_search']['num_candidates'] = 32
            assert cfg == full
        for m in (3, 10):
            cfg = read_config(f'amlfs_spherereid_{data}_m{m}').to_dict()
            assert cfg['model']['head'].pop('num_intervals') == m
            cfg['model']['head']['num_intervals'] = 6
            assert cfg == full


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_no_reward_from_the_test_set_and_no_re_ranking_in_it(path: Path):
    cfg = Config.fromfile(path)
    assert cfg.train_dataloader.dataset.part == 'train'
    assert cfg.val_dataloader.dataset.part == 'val'
    assert cfg.test_dataloader.dataset.part == 'test'
    train, val = cfg.train_dataloader.dataset, cfg.val_dataloader.dataset
    assert train.held_out == val.held_out > 0
    assert train.get('split_seed') == val.get('split_seed')
    sources = {loader.dataset.source for loader in (cfg.train_dataloader, cfg.val_dataloader)}
    assert sources == {cfg.test_dataloader.dataset.source}
    assert sources == {'dukemtmcreid' if '_duke' in path.stem else 'market1501'}
    assert not cfg.val_evaluator.get('rerank', False)


def test_recipes():
    """Schedules and batches as published."""

    def read(name: str) -> Config:
        return read_config(f'baseline_{name}_market')

    sphere, sft, mgn = (read(name) for name in MODEL_NAMES)
    assert [cfg.train_cfg.max_epochs for cfg in (sphere, sft, mgn)] == [140, 140, 80]
    assert [cfg.train_dataloader.batch_size for cfg in (sphere, sft, mgn)] == [64, 128, 64]
    instances = [c.train_dataloader.batch_sampler.num_instances for c in (sphere, sft, mgn)]
    assert instances == [4, 8, 4]
    epochs = [c.train_dataloader.batch_sampler.epoch for c in (sphere, sft, mgn)]
    assert epochs == ['full', 'short', 'full']
    assert sphere.optim_wrapper.optimizer == dict(type='Adam', lr=1e-3)
    assert sft.optim_wrapper.optimizer == dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4)
    assert mgn.optim_wrapper.optimizer == dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=5e-4)
    for cfg, start in ((sphere, 5e-5), (sft, 1e-3)):
        warmup, steps = cfg.param_scheduler
        assert warmup.start_factor * cfg.optim_wrapper.optimizer.lr == pytest.approx(start)
        assert (warmup.begin, warmup.end, steps.milestones) == (0, 20, [80, 100])
    assert mgn.param_scheduler.milestones == [40, 60]
    assert (sphere.model.head.scale, sft.model.head.classifier.scale) == (14, 15)
    assert sft.model.head.classifier.margin == 0.3
    assert mgn.model.head.triplet.margin == 1.2
    for cfg in (sphere, sft, mgn):
        assert cfg.model.backbone.init_cfg.type == 'Pretrained'


def test_the_paper_setting():
    for model in MODEL_NAMES:
        for data in ('market', 'duke'):
            options = search_options(read_config(f'amlfs_{model}_{data}'))
            assert options['num_candidates'] == 32
            assert options['replicas_per_candidate'] == 2
            assert options['policy'] == dict(type='amlfs_mm.GaussianPolicy', sigma=0.2, lr=0.05)


def test_the_margin_as_a_start():
    """The command in SFT's header."""
    assert 'loss_search.mu_0.name=am_softmax' in header_of(PATHS['amlfs_sft_market'])
    cfg = read_config('amlfs_sft_market')
    cfg.merge_from_dict({'loss_search.mu_0.name': 'am_softmax', 'loss_search.mu_0.m': 0.3})
    assert search_options(cfg)['mu_0'] == dict(name='am_softmax', m=0.3)
