"""The controls' configs as they really run, cut down to seconds."""

import json
from pathlib import Path
from uuid import uuid4

import numpy as np
import torch
from helpers.runs import ROOT, load
from mmengine.config import Config
from mmengine.registry import RUNNERS
from test_loss_search_hook import replay_policy

from amlfs_mm.analysis.runs.records import read_records
from amlfs_mm.search import SearchSpace
from amlfs_mm.utils.randomness import derive_seed

SMALL = {
    'model.backbone.depth': 8,
    'model.backbone.base_channels': 4,
    'model.head.in_channels': 16,
    'train_dataloader.dataset.indices': 48,
    'train_dataloader.batch_size': 16,
    'val_dataloader.dataset.indices': 100,
    'train_cfg.max_epochs': 2,
    'visualizer.vis_backends': [dict(type='LocalVisBackend')],
}


def train_config(tmp_path: Path, name: str, **options) -> Path:
    """The work dir of a config's small run."""
    cfg = Config.fromfile(ROOT / f'configs/small/digits/{name}.py')
    cfg.work_dir = str(tmp_path)
    cfg.experiment_name = str(uuid4())
    if 'num_candidates' in cfg.get('loss_search', {}):
        options = {'loss_search.num_candidates': 3, **options}
    cfg.merge_from_dict({**SMALL, **options})
    cfg.setdefault('runner_type', 'amlfs_mm.LossSearchRunner')
    RUNNERS.build(cfg).train()
    return tmp_path


def compute(work_dir: Path) -> dict:
    return json.loads((work_dir / 'compute.json').read_text())


def test_frozen(tmp_path: Path):
    records = read_records(train_config(tmp_path, 'frozen_resnet20_digits') / 'loss_search.jsonl')
    identity = SearchSpace(6).identity().tolist()
    for record in records:
        assert record['mu_before'] == record['mu'] == identity
        assert any(record['advantage'])
        assert record['theta'][0] != record['theta'][1]
    assert compute(tmp_path)['candidate_epochs'] == 6


def test_best_of_b(tmp_path: Path):
    train_config(tmp_path, 'best_of_b_resnet20_digits', **{'train_cfg.max_epochs': 1})
    for record in read_records(tmp_path / 'loss_search.jsonl'):
        assert record['theta'] == [SearchSpace(6).identity().tolist()] * 3
        assert record['mu'] == record['mu_before']
        assert len(set(record['reward'])) > 1  # each its own data order
        assert record['best'] == int(np.argmax(record['reward']))
    assert compute(tmp_path)['candidate_epochs'] == 3


def test_null_reward(tmp_path: Path):
    """mu follows noise drawn from (seed, epoch); the winner is the best on D_v."""
    train_config(tmp_path, 'null_reward_resnet20_digits')
    records = read_records(tmp_path / 'loss_search.jsonl')
    for epoch, record in enumerate(records):
        assert record['best'] == int(np.argmax(record['reward']))
        generator = torch.Generator().manual_seed(derive_seed(0, epoch, 3))
        record['reward'] = torch.randn(3, generator=generator, dtype=torch.float64).tolist()
    for record, mu in zip(records, replay_policy(records), strict=True):
        np.testing.assert_allclose(record['mu'], mu, atol=1e-5)
    assert records[-1]['mu'] != records[0]['mu_before']


def test_from_am_softmax(tmp_path: Path):
    train_config(tmp_path, 'from_am_softmax_resnet20_digits', **{'train_cfg.max_epochs': 1})
    (first,) = read_records(tmp_path / 'loss_search.jsonl')
    assert first['mu_before'] == SearchSpace(6).known_loss('am_softmax', m=0.35).tolist()
    assert first['mu'] != first['mu_before']


def test_a_loss_that_stays(tmp_path: Path):
    train_config(tmp_path, 'am_softmax_resnet20_digits')
    theta = load(tmp_path / 'epoch_2.pth')['state_dict']['head.theta']
    assert torch.equal(theta, SearchSpace(6).known_loss('am_softmax', m=0.35))
    assert compute(tmp_path) == dict(candidate_epochs=2, images_per_epoch=48, images=96)


def test_a_plain_run_says_its_compute(tmp_path: Path):
    """The last batch is smaller."""
    options = {'train_dataloader.dataset.indices': 40, 'train_cfg.max_epochs': 1}
    train_config(tmp_path, 'baseline_resnet20_digits', **options)
    assert compute(tmp_path) == dict(candidate_epochs=1, images_per_epoch=40, images=40)
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert 'Compute: 1 candidate-epochs of 40 images, 40 in all' in log


def test_a_loop_of_iterations_has_no_epochs(tmp_path: Path):
    loop = dict(_delete_=True, by_epoch=False, max_iters=2)
    options = {
        'train_cfg': loop,
        'train_dataloader.sampler.type': 'InfiniteSampler',
        'default_hooks.checkpoint.by_epoch': False,
        'param_scheduler': None,
    }
    train_config(tmp_path, 'baseline_resnet20_digits', **options)
    assert not (tmp_path / 'compute.json').exists()


def test_search_then_replay(tmp_path: Path):
    """Both configs as the docs give them; one model, a third of the compute, the same weights."""
    searched = train_config(tmp_path / 'search', 'amlfs_resnet20_digits')
    schedule = str(searched / 'loss_schedule.json')
    again = train_config(
        tmp_path / 'again', 'replay_resnet20_digits', **{'custom_hooks.0.schedule': schedule}
    )
    one, other = (load(path / 'epoch_2.pth')['state_dict'] for path in (searched, again))
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert compute(searched)['images'] == 3 * compute(again)['images'] == 3 * 96
    assert json.loads(Path(schedule).read_text())['compute'] == compute(searched)
