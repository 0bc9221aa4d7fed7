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
from helpers.one_step import build_model, train_a_step_and_evaluate
from helpers.reid_data import people_root  # noqa: F401
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

MODEL_NAMES = ('spherereid', 'sft', 'mgn')
TORCHREID_NAMES = ('pcb', 'mlfn', 'hacnn', 'osnet')
NAMES = '|'.join((*MODEL_NAMES, *TORCHREID_NAMES))
CONFIGS = sorted(path for path in LEAVES if re.search(f'_({NAMES})_', path.stem))
ABLATION = re.compile(r'_[bm]\d+$|^(null_reward|from_am_softmax|replay)_')
# The same model as in the search on Market-1501, which is large.
SAME_MODEL = re.compile(rf'^(baseline_({NAMES})_market|\w+_({NAMES})_duke)$')
NO_SEARCH = ('am_softmax_', 'baseline_', 'replay_')
SEARCHES = [path for path in CONFIGS if not path.stem.startswith(NO_SEARCH)]

# The paper's Tables 4 to 7 and section 4.6: mAP, rank-1, and of MGN the re-ranked (RK) ones.
EXPECTED = {name: numbers for name, numbers in read_paper_numbers().items() if 'mAP' in numbers}


@pytest.mark.parametrize(
    'path',
    [
        # An ablation's model is its search's, or has another number of intervals.
        pytest.param(path, marks=pytest.mark.slow)
        if ABLATION.search(path.stem) or SAME_MODEL.search(path.stem)
        else path
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
    only_size = '_hacnn_' in path.stem  # HA-CNN takes images of one size
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.num_workers = 0
        for transform in loader.dataset.pipeline:
            if transform.type == 'Resize' and not only_size:
                transform.scale = (32, 64)
            elif transform.type == 'RandomCrop':
                transform.crop_size = (56, 28)
    sampler = cfg.train_dataloader.batch_sampler
    cfg.train_dataloader.batch_size = 2 * sampler.num_instances if sampler else 8
    cfg.model.backbone.init_cfg = None
    if cfg.model.backbone.type == 'amlfs_mm.TorchreidBackbone':
        cfg.model.backbone.pretrained = False
    for metrics in train_a_step_and_evaluate(cfg):
        assert 0 < metrics['reid/mAP'] < 100
        if path in SEARCHES:
            assert search_options(cfg)['reward'] in metrics


@pytest.mark.parametrize('path', SEARCHES, ids=lambda path: path.stem)
def test_a_search_is_its_baseline_plus_head_hook_and_runner(path: Path):
    model, data = re.search(f'_({NAMES})_([a-z]+)', path.stem).groups()
    search, plain = Config.fromfile(path), read_config(f'baseline_{model}_{data}')
    assert search.runner_type == 'amlfs_mm.LossSearchRunner'
    assert search_options(search)['reward'] == 'reid/mAP'
    whole = model in ('spherereid', 'mlfn', 'osnet')
    head = search.model.head if whole else search.model.head.classifier
    assert head.type == 'amlfs_mm.AMLFSHead'
    searched = head.to_dict()
    head = plain.model.head if whole else plain.model.head.classifier
    assert searched.get('scale') == head.get('scale')
    for added in ('runner_type', 'loss_search', 'custom_hooks', 'classifier'):
        search.pop(added, None)
    search.model.head, plain.model.head = None, None
    assert search.to_dict() == plain.to_dict()


def test_torchreids_recipes():
    """Input, batch, epochs and learning rates of PCB's paper, and of torchreid for the others."""
    cfgs = {name: read_config(f'baseline_{name}_market') for name in TORCHREID_NAMES}
    sizes, batches, epochs, rates, milestones = {}, {}, {}, {}, {}
    for name, cfg in cfgs.items():
        loaders = (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader)
        (sizes[name],) = {
            t.scale for d in loaders for t in d.dataset.pipeline if t.type == 'Resize'
        }
        batches[name] = cfg.train_dataloader.batch_size
        epochs[name] = cfg.train_cfg.max_epochs
        rates[name] = cfg.optim_wrapper.optimizer.lr
        milestones[name] = cfg.param_scheduler.get('milestones')
        assert cfg.train_dataloader.sampler == dict(type='DefaultSampler', shuffle=True)
        assert cfg.train_dataloader.batch_sampler is None
        assert cfg.optim_wrapper.optimizer.weight_decay == 5e-4
    small = (128, 256)
    assert sizes == dict(pcb=(128, 384), mlfn=small, hacnn=(64, 160), osnet=small)
    assert batches == dict(pcb=64, mlfn=32, hacnn=32, osnet=64)
    assert epochs == dict(pcb=60, mlfn=60, hacnn=300, osnet=250)
    assert rates == dict(pcb=0.1, mlfn=3e-4, hacnn=0.03, osnet=1.5e-3)
    assert milestones == dict(pcb=[40], mlfn=[20, 40], hacnn=[150, 225], osnet=None)
    assert {
        name: cfg.model.backbone.get('pretrained', False) for name, cfg in cfgs.items()
    } == dict(pcb=True, mlfn=False, hacnn=False, osnet=True)


def test_pcbs_new_layers_learn_ten_times_as_fast():
    cfg = read_config('baseline_pcb_market')
    cfg.model.backbone.pretrained = False
    cfg.model.backbone.input_size = (64, 32)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = build_model(cfg)
        groups = build_optim_wrapper(model, cfg.optim_wrapper).optimizer.param_groups
    rates = {id(group['params'][0]): group['lr'] for group in groups}
    for name, parameter in model.named_parameters():
        new = name.startswith(('backbone.model.conv5', 'head'))
        assert rates[id(parameter)] == pytest.approx(0.1 if new else 0.01), name


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
