"""Every re-identification config trains a step and is evaluated, on data in their layout."""

import csv
import io
import re
from pathlib import Path

import pytest
from helpers.one_step import train_a_step_and_evaluate
from helpers.reid_data import people_root  # noqa: F401
from helpers.runs import ROOT
from mmengine.config import Config

MODEL_NAMES = ('spherereid', 'sft', 'mgn')
CONFIGS = sorted(
    path
    for path in (ROOT / 'configs').glob('*.py')
    if any(f'_{name}_' in path.stem for name in MODEL_NAMES)
)
ABLATION = re.compile(r'_[bm]\d+$|^(null_reward|from_am_softmax|replay)_|_mgn_duke$')
NO_SEARCH = ('am_softmax_', 'baseline_', 'replay_')
SEARCHES = [path for path in CONFIGS if not path.stem.startswith(NO_SEARCH)]

# The paper's Tables 4 to 7 and section 4.6: mAP, rank-1, and of MGN the re-ranked (RK) ones.
PAPER = """
baseline_spherereid_market,83.6,94.4
baseline_sft_market,82.7,93.4
baseline_mgn_market,86.9,95.7,94.2,96.6
amlfs_spherereid_market,84.4,95.0
amlfs_sft_market,83.2,93.6
amlfs_mgn_market,88.1,95.8,94.6,96.1
baseline_spherereid_duke,68.5,83.9
baseline_sft_duke,73.2,86.9
baseline_mgn_duke,78.4,88.7,88.6,90.9
amlfs_spherereid_duke,69.8,84.3
amlfs_sft_duke,73.8,87.0
amlfs_mgn_duke,80.0,89.9,90.1,92.4
amlfs_spherereid_market_b4,83.6
amlfs_spherereid_market_b8,83.8
amlfs_spherereid_market_b16,84.2
amlfs_spherereid_duke_b4,68.4
amlfs_spherereid_duke_b8,68.9
amlfs_spherereid_duke_b16,69.7
amlfs_spherereid_market_m3,83.8
amlfs_spherereid_market_m10,84.2
amlfs_spherereid_duke_m3,68.6
amlfs_spherereid_duke_m10,69.5
frozen_spherereid_market,84.0
"""
EXPECTED = {row[0]: row[1:] for row in csv.reader(io.StringIO(PAPER.strip()))}


def load(path: Path) -> Config:
    return Config.fromfile(path)


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
    cfg = load(path)
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
            assert cfg.custom_hooks[0].reward in metrics


@pytest.mark.parametrize('path', SEARCHES, ids=lambda path: path.stem)
def test_a_search_is_its_baseline_plus_head_hook_and_runner(path: Path):
    model, data = re.search('_(spherereid|sft|mgn)_([a-z]+)', path.stem).groups()
    search, plain = load(path), load(ROOT / 'configs' / f'baseline_{model}_{data}.py')
    assert search.runner_type == 'amlfs_mm.LossSearchRunner'
    assert search.custom_hooks[0].reward == 'reid/mAP'
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
    header = (ROOT / 'configs' / f'{name}.py').read_text().split('_base_')[0].replace('\n# ', ' ')
    map_, *rest = EXPECTED[name]
    assert f'Expected: {map_} % mAP' in header
    if rest:
        assert f', {rest[0]} % rank-1' in header
    if rest[1:]:
        assert f'; {rest[1]} and {rest[2]} re-ranked (RK)' in header


def test_ablations():
    """Tables 6 and 7: nothing else changes."""
    for data in ('market', 'duke'):
        full = load(ROOT / 'configs' / f'amlfs_spherereid_{data}.py').to_dict()
        assert full['custom_hooks'][0]['num_candidates'] == 32
        assert full['model']['head']['num_intervals'] == 6
        for b in (4, 8, 16):
            cfg = load(ROOT / 'configs' / f'amlfs_spherereid_{data}_b{b}.py').to_dict()
            assert cfg['custom_hooks'][0].pop('num_candidates') == b
            cfg['custom_hooks'][0]['num_candidates'] = 32
            assert cfg == full
        for m in (3, 10):
            cfg = load(ROOT / 'configs' / f'amlfs_spherereid_{data}_m{m}.py').to_dict()
            assert cfg['model']['head'].pop('num_intervals') == m
            cfg['model']['head']['num_intervals'] = 6
            assert cfg == full


@pytest.mark.parametrize(
    ('name', 'key', 'value'),
    [
        ('frozen_spherereid_market', 'lr', 0.0),
        ('frozen_spherereid_synthetic', 'lr', 0.0),
        ('best_of_b_spherereid_market', 'sigma', 0.0),
        ('best_of_b_spherereid_synthetic', 'sigma', 0.0),
        ('null_reward_spherereid_synthetic', 'reward_filter', dict(type='amlfs_mm.NullReward')),
        ('from_am_softmax_spherereid_synthetic', 'mu_0', dict(name='am_softmax', m=0.35)),
    ],
)
def test_controls_differ_from_the_search_in_one_option(name: str, key: str, value: object):
    control = load(ROOT / 'configs' / f'{name}.py').to_dict()
    data = name.split('_')[-1]
    search = load(ROOT / 'configs' / f'amlfs_spherereid_{data}.py').to_dict()
    hook, of_search = control['custom_hooks'][0], search['custom_hooks'][0]
    if key in hook['policy']:
        hook, of_search = hook['policy'], of_search['policy']
    assert hook.pop(key) == value
    of_search.pop(key, None)
    assert control == search


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_no_reward_from_the_test_set_and_no_re_ranking_in_it(path: Path):
    cfg = load(path)
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
        return load(ROOT / 'configs' / f'baseline_{name}_market.py')

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
    for path in (ROOT / 'configs').glob('amlfs_*_market.py'):
        cfg = load(path)
        hook = cfg.custom_hooks[0]
        assert hook.num_candidates == 32
        assert hook.policy == dict(type='amlfs_mm.GaussianPolicy', sigma=0.2, lr=0.05)
        assert cfg.loss_search == dict(replicas_per_candidate=2)


def test_the_margin_as_a_start(tmp_path: Path):
    """The command in SFT's header."""
    cfg = load(ROOT / 'configs' / 'amlfs_sft_market.py')
    options = {'custom_hooks.0.mu_0.name': 'am_softmax', 'custom_hooks.0.mu_0.m': 0.3}
    cfg.merge_from_dict(options)
    assert cfg.custom_hooks[0].mu_0 == dict(name='am_softmax', m=0.3)
