"""Every config builds its model, and says what differs from its base."""

import copy
import re
from pathlib import Path

import pytest
import torch
from helpers.runs import ROOT
from mmengine.config import Config
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

NO_SEARCH = ('am_softmax_', 'baseline_', 'focal_', 'margin_', 'replay_')
CONFIGS = sorted([*(ROOT / 'configs').glob('*.py'), *(ROOT / 'configs' / 'ablations').glob('*.py')])
CLASSIFIERS = [path for path in CONFIGS if re.search(r'_resnet(20|8)_', path.stem)]
SEARCHES = [path for path in CLASSIFIERS if not path.stem.startswith(NO_SEARCH)]


@pytest.mark.parametrize('path', CLASSIFIERS, ids=lambda path: path.stem)
def test_trains_a_step(path: Path):
    cfg = Config.fromfile(path)
    model = copy.deepcopy(cfg.model)
    model.data_preprocessor = dict(type='ClsDataPreprocessor', **cfg.data_preprocessor)
    model = MODELS.build(model)
    channels = cfg.model.backbone.get('in_channels', 3)
    size = 8 if 'digits' in path.stem else 32
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
    task = re.search(r'resnet\d+_[a-z0-9]+(_shift|_noise\d+)?', path.stem).group()
    search, plain = (
        Config.fromfile(file) for file in (path, ROOT / 'configs' / f'baseline_{task}.py')
    )
    assert search.model.head.type == 'amlfs_mm.AMLFSHead'
    assert search.runner_type == 'amlfs_mm.LossSearchRunner'
    assert search.custom_hooks[0].type == 'amlfs_mm.LossSearchHook'
    for added in ('runner_type', 'loss_search', 'custom_hooks'):
        search.pop(added)
    search.model.head, plain.model.head = None, None
    assert search.to_dict() == plain.to_dict()


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_opens_with_command_and_cost(path: Path):
    header = path.read_text().split('_base_')[0]
    assert str(path.relative_to(ROOT)) in header
    assert '# Cost:' in header
    assert len(path.read_text().splitlines()) <= 16


@pytest.mark.parametrize('control', ['frozen', 'null_reward', 'from_am_softmax', 'best_of_b'])
def test_a_control_changes_one_thing(control: str):
    """At the same compute: the rest of the hook's options are the paper's search's."""
    base = ROOT / 'configs' / '_base_' / 'search'
    search, other = (Config.fromfile(base / f'{name}.py') for name in ('amlfs', control))
    (hook,), (changed,) = search.custom_hooks, other.custom_hooks
    hook, changed = ({**h, **h.policy, 'policy': None} for h in (hook, changed))
    assert {key for key in changed if changed[key] != hook.get(key)} == {
        dict(frozen='lr', null_reward='reward_filter', from_am_softmax='mu_0', best_of_b='sigma')[
            control
        ]
    }
    assert other.runner_type == search.runner_type


def test_the_paper_setting():
    hook = Config.fromfile(ROOT / 'configs' / 'amlfs_resnet20_cifar10.py').custom_hooks[0]
    assert hook.num_candidates == 32
    assert hook.policy == dict(type='amlfs_mm.GaussianPolicy', sigma=0.2, lr=0.05)


def test_cifar10_recipe():
    """He et al.: 45k images, batch 128, lr / 10 at 32k and 48k of 64k iterations."""
    cfg = Config.fromfile(ROOT / 'configs' / 'baseline_resnet20_cifar10.py')
    iterations = -(-45000 // cfg.train_dataloader.batch_size)
    assert abs(cfg.train_cfg.max_epochs * iterations - 64000) < iterations
    assert cfg.param_scheduler.milestones == [32000, 48000]
    assert not cfg.param_scheduler.by_epoch
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.lr, optimizer.momentum, optimizer.weight_decay) == (0.1, 0.9, 1e-4)


@pytest.mark.parametrize('noise', [10, 20])
def test_noise_is_in_training_only(noise: int):
    cfg = Config.fromfile(ROOT / 'configs' / f'amlfs_resnet20_cifar10_noise{noise}.py')
    (flip,) = [
        t for t in cfg.train_dataloader.dataset.dataset.pipeline if t.type == 'amlfs_mm.LabelNoise'
    ]
    assert flip.ratio == noise / 100
    assert 'LabelNoise' not in str(cfg.val_dataloader) + str(cfg.test_dataloader)
