"""A whole search, replay and evaluation on a device: the CPU's files, and nothing waits."""

from __future__ import annotations

from pathlib import Path

import helpers.faults  # noqa: F401  (registers Scripted)
import pytest
from helpers.iteration_traffic import IterationTraffic
from helpers.jobs import Job, config_with, no_survivors  # noqa: F401
from helpers.runs import TINY_SEARCH, assert_equal, assert_same_run, build, load
from helpers.standin_device import NAME, counted, install, model_device
from mmengine.config import Config
from mmengine.hooks import Hook

from amlfs_mm.analysis.runs.records import read_records

install()
EMA = dict(type='EMAHook', momentum=0.1)
LOG_INTERVAL = 3
LOGGED = {'default_hooks.logger.interval': LOG_INTERVAL}


def search(work_dir: Path, *hooks: dict | Hook, **options) -> None:
    """A tiny search in this process, with further hooks."""
    runner = build(work_dir, **LOGGED, **options)
    for hook in hooks:
        runner.register_hook(dict(hook) if isinstance(hook, dict) else hook)
    runner.train()


@pytest.fixture(scope='module')
def on_device(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, IterationTraffic]:
    """A finished tiny search on the device, and what crossed in its iterations."""
    work_dir = tmp_path_factory.mktemp('on_device')
    with model_device(), counted() as traffic:
        watch = IterationTraffic(traffic, LOG_INTERVAL)
        search(work_dir, watch)
    return work_dir, watch


def test_a_search_is_that_of_the_cpu(tiny_run: Path, on_device: tuple) -> None:
    work_dir, _ = on_device
    assert_same_run(tiny_run, work_dir)


def test_an_iteration_between_two_log_lines_only_sends_its_batch(on_device: tuple) -> None:
    _, watch = on_device
    assert len(watch.between_logs) == 3 * 4 * 4  # epochs, candidates, of 6 iterations
    for waited, sent in watch.between_logs:
        assert not waited, waited
        assert sent.total() == 2, sent  # the images, the labels


def images_on(device: str, part: str = 'train') -> dict:
    """The tiny search's images, kept on a device; those of the training are augmented there."""
    images = dict(Config.fromfile(TINY_SEARCH)[f'{part}_dataloader'].dataset)
    images['pipeline'] = [step for step in images['pipeline'] if step['type'] != 'RandomCrop']
    random = dict(padding=1, flip_prob=0.5) if part == 'train' else dict(padding=0, flip_prob=0)
    options = dict(dataset=images, device=device, _delete_=True)
    return dict(type='amlfs_mm.InMemoryImages', **options, **random)


@pytest.mark.parametrize('images_there', [False, True])
def test_an_evaluation_waits_once_a_batch(tmp_path: Path, images_there: bool) -> None:
    """mmengine's metric copies the hits of all batches in the end. D_v has four batches."""
    options: dict = {'val_dataloader.batch_size': 25}
    if images_there:
        options['val_dataloader.dataset'] = images_on(NAME, 'val')
    with model_device():
        runner = build(tmp_path, **options)
        runner.val()  # the images are loaded, and the labels checked
        with counted() as traffic:
            metrics = runner.val_loop.run()
    assert 0 <= metrics['accuracy/top1'] <= 100
    assert traffic.waits.total() == 4, traffic.waits
    sent = 0 if images_there else 2 * 4  # the images, the labels
    assert traffic.to_device.total() == sent, traffic.to_device


def test_averaged_weights_and_accumulated_gradients_on_images_that_lie_there(
    tmp_path: Path,
) -> None:
    """Of 6 iterations 4 make an update: the winner's hand-over has half-accumulated gradients."""
    options = {
        'optim_wrapper.accumulative_counts': 4,
        'loss_search.num_candidates': 2,
        'train_cfg.max_epochs': 2,
    }
    with_images = [
        options | {'train_dataloader.dataset': images_on(device)} for device in ('cpu', NAME)
    ]
    search(tmp_path / 'cpu', EMA, **with_images[0])
    with model_device():
        with counted() as traffic:
            watch = IterationTraffic(traffic, LOG_INTERVAL)
            search(tmp_path / 'device', EMA, watch, **with_images[1])
        schedule = str(tmp_path / 'cpu' / 'loss_schedule.json')
        replay = dict(type='amlfs_mm.LossReplayHook', schedule=schedule)
        hooks = {'custom_hooks': [replay, EMA]}
        build(tmp_path / 'replay', **hooks, **with_images[1]).train()
    assert_same_run(tmp_path / 'cpu', tmp_path / 'device', 'epoch_2.pth')
    wanted, *others = (load(tmp_path / n / 'epoch_2.pth') for n in ('cpu', 'device', 'replay'))
    for other in others:
        for key in ('state_dict', 'optimizer', 'ema_state_dict'):
            assert_equal(wanted[key], other[key], key)
    assert len(watch.between_logs) == 2 * 2 * 4
    for waited, sent in watch.between_logs:
        assert not waited, waited
        assert not sent, sent


def test_a_control_and_going_back_on_images_that_lie_there(tmp_path: Path) -> None:
    """The second round is behind the first one. D_v lies on the device too."""
    options = {
        'model.head.search_space': dict(type='amlfs_mm.SearchSpace', ceiling=True),
        'loss_search': dict(num_candidates=2, control=True, go_back=True, reward='script/reward'),
        'val_evaluator': [dict(type='Accuracy'), dict(type='Scripted', script=[50, 40, 60])],
    }
    of_cpu, of_device = (
        {f'{part}_dataloader.dataset': images_on(device, part) for part in ('train', 'val')}
        for device in ('cpu', NAME)
    )
    search(tmp_path / 'cpu', **options, **of_cpu)
    with model_device(), counted() as traffic:
        watch = IterationTraffic(traffic, LOG_INTERVAL)
        search(tmp_path / 'device', watch, **options, **of_device)
    assert_same_run(tmp_path / 'cpu', tmp_path / 'device')
    records = read_records(tmp_path / 'device' / 'loss_search.jsonl')
    assert [record['lineage']['went_back_to'] for record in records] == [None, 1, None]
    assert all('control' in record for record in records)
    for waited, sent in watch.between_logs:
        assert not waited, waited
        assert not sent, sent


def test_two_processes_hand_the_winner_over(tmp_path: Path, tiny_run: Path) -> None:
    config = config_with(tmp_path)
    config.write_text(config.read_text().replace('helpers.faults', 'helpers.standin_process'))
    job = Job(tmp_path / 'run', config=config, processes=2).finish()
    assert f'{NAME}:0' in job.log()
    assert_same_run(tiny_run, tmp_path / 'run')
