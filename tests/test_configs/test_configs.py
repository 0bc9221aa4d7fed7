"""Every config builds its model, and says what differs from its base."""

import copy
import re
from pathlib import Path

import pytest
import torch
from helpers.configs import CONFIGS, LEAVES, PATHS, header_of, read_config, search_options
from helpers.runs import ROOT
from mmengine.config import Config
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

# Files in headers that are no leaves.
OTHER_FILES = ('train.py', 'test.py', 'megaface.py', '_casia.py')
NO_SEARCH = (
    'constant_',
    'tuned_',
    'am_softmax_',
    'baseline_',
    'focal_',
    'l2t_dlf_',
    'margin_',
    'replay_',
    'robust_',
)
CLASSIFIERS = [path for path in LEAVES if re.search(r'_(resnet(20|8)|mlp|lenet)_', path.stem)]
SEARCHES = [path for path in CLASSIFIERS if not path.stem.startswith(NO_SEARCH)]


@pytest.mark.parametrize('path', CLASSIFIERS, ids=lambda path: path.stem)
def test_trains_a_step(path: Path):
    cfg = Config.fromfile(path)
    model = copy.deepcopy(cfg.model)
    model.data_preprocessor = {'type': 'ClsDataPreprocessor', **cfg.data_preprocessor}
    model = MODELS.build(model)
    of_fashion = re.search('_(mlp|lenet)_', path.stem)
    channels = 1 if of_fashion else cfg.model.backbone.get('in_channels', 3)
    size = 8 if 'digits' in path.stem else 28 if of_fashion else 32
    samples = [DataSample().set_gt_label(label) for label in (0, 9)]
    data = model.data_preprocessor(
        dict(inputs=torch.randint(0, 256, (2, channels, size, size)), data_samples=samples),
        training=True,
    )
    loss = model(**data, mode='loss')['loss']
    loss.backward()
    assert torch.isfinite(loss)
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize('path', SEARCHES, ids=lambda path: path.stem)
def test_a_search_is_its_baseline_plus_head_hook_and_runner(path: Path):
    task = re.search(r'(resnet\d+|mlp)_[a-z0-9]+(_shift|_noise\d+)?', path.stem).group()
    search, plain = Config.fromfile(path), read_config(f'baseline_{task}')
    assert search.model.head.type == 'amlfs_mm.AMLFSHead'
    assert search.runner_type == 'amlfs_mm.LossSearchRunner'
    assert [hook.type for hook in search.custom_hooks] == ['amlfs_mm.LossSearchHook']
    for added in ('runner_type', 'loss_search', 'custom_hooks'):
        search.pop(added)
    search.model.head, plain.model.head = None, None
    assert search.to_dict() == plain.to_dict()


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
def test_opens_with_command_cost_and_expected_number(path: Path):
    lines = path.read_text().split('_base_')[0].splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith('#   ')]
    assert str(path.relative_to(ROOT)) in ' '.join(lines[i] for i in starts)
    (cost,) = [i for i, line in enumerate(lines) if line.startswith('# Cost: ')]
    (expected,) = [i for i, line in enumerate(lines) if line.startswith('# Expected: ')]
    assert 0 < min(starts) <= max(starts) < cost < expected
    at_root = path.parent == CONFIGS
    if at_root and 'no number in the paper' not in header_of(path):
        assert re.match(r'# Paper: (Table \d|section 4.6)', lines[0])
    for other in re.findall(r'(?<![/*])\b\w+\.py', header_of(path)):
        assert other in OTHER_FILES or other.removesuffix('.py') in PATHS, other
    assert len(path.read_text().splitlines()) <= 16


# What differs from the search, and nothing else.
ONE_THING = dict(
    frozen=dict(lr=0.0),
    null_reward=dict(reward_filter=dict(type='amlfs_mm.NullReward')),
    from_am_softmax=dict(mu_0=dict(name='am_softmax', m=0.35)),
    best_of_b=dict(sigma=0.0),
)
OF_OTHER_LOSSES = ('best_of_b_am_', 'best_of_b_robust_')
CONTROLS = [
    name
    for name in PATHS
    if name.startswith(tuple(ONE_THING)) and not name.startswith(OF_OTHER_LOSSES)
]


@pytest.mark.parametrize('name', CONTROLS)
def test_a_control_changes_one_thing(name: str):
    """At the same compute: the rest is its search's."""
    kind = next(kind for kind in ONE_THING if name.startswith(kind))
    control = read_config(name).to_dict()
    of_search = 'amlfs' + name[len(kind) :]
    search = read_config(re.sub(r'(?<=mlp_fashion)_b\d+$', '', of_search)).to_dict()
    options = control['loss_search']
    if of_search not in PATHS:  # of a search with another B
        assert f'_b{options["num_candidates"]}' in name
        search['loss_search']['num_candidates'] = options['num_candidates']
    for key, value in ONE_THING[kind].items():
        place, of_search = (
            o['policy'] if key in ('lr', 'sigma') else o for o in (options, search['loss_search'])
        )
        assert place.pop(key) == value
        of_search.pop(key, None)
    heads = control['model']['head'], search['model']['head']
    if kind == 'from_am_softmax' and 'scale' not in heads[1]:  # AM-softmax is a loss of 30 cos
        assert heads[0].pop('scale') == 30
    assert control == search


@pytest.mark.parametrize(
    ('name', 'of'),
    [
        ('best_of_b_robust_mlp_fashion', 'best_of_b_mlp_fashion'),
        ('from_robust_resnet8_cifar10', 'recommended_resnet8_cifar10'),
    ],
)
def test_a_start_at_the_robust_loss_changes_nothing_else(name: str, of: str):
    config, other = read_config(name).to_dict(), read_config(of).to_dict()
    assert config['loss_search'].pop('mu_0') == dict(name='robust', b=0.5)
    assert config == other


@pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
def test_no_option_is_set_by_position(path: Path):
    """Configs change the search in loss_search, which merges; lists such as custom_hooks do not."""
    assert not re.search(r'custom_hooks\[\d', path.read_text())


def test_the_paper_setting():
    options = search_options(read_config('amlfs_resnet20_cifar10'))
    assert options['num_candidates'] == 32
    assert options['replicas_per_candidate'] == 2
    assert options['policy'] == dict(type='amlfs_mm.GaussianPolicy', sigma=0.2, lr=0.05)


def test_cifar10_recipe():
    """He et al.: 45k images, batch 128, lr / 10 at 32k and 48k of 64k iterations."""
    cfg = read_config('baseline_resnet20_cifar10')
    iterations = -(-45000 // cfg.train_dataloader.batch_size)
    assert abs(cfg.train_cfg.max_epochs * iterations - 64000) < iterations
    assert cfg.param_scheduler.milestones == [32000, 48000]
    assert not cfg.param_scheduler.by_epoch
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.lr, optimizer.momentum, optimizer.weight_decay) == (0.1, 0.9, 1e-4)


@pytest.mark.parametrize('noise', [10, 20])
def test_noise_is_in_training_only(noise: int):
    cfg = read_config(f'amlfs_resnet20_cifar10_noise{noise}')
    (flip,) = [
        t for t in cfg.train_dataloader.dataset.dataset.pipeline if t.type == 'amlfs_mm.LabelNoise'
    ]
    assert flip.ratio == noise / 100
    assert 'LabelNoise' not in str(cfg.val_dataloader) + str(cfg.test_dataloader)


@pytest.mark.parametrize('name', [name for name in PATHS if name.startswith('l2t_dlf_')])
def test_l2t_dlf_is_its_baseline_plus_head_and_loop(name: str):
    taught, plain = read_config(name), read_config(re.sub('l2t_dlf_(fixed_)?', 'baseline_', name))
    assert taught.model.head.type == 'amlfs_mm.L2TDLFHead'
    if 'fixed' not in name:
        assert taught.train_cfg.pop('type') == 'amlfs_mm.L2TDLFLoop'
        taught.train_cfg.pop('window')
        assert plain.train_cfg.pop('by_epoch')
    taught.model.head, plain.model.head = None, None
    assert taught.to_dict() == plain.to_dict()
