"""A whole search, replay and evaluation on a device: the CPU's files, and nothing waits."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.iteration_traffic import IterationTraffic
from helpers.jobs import Job, config_with, no_survivors  # noqa: F401
from helpers.runs import assert_equal, assert_same_run, build, load
from helpers.standin_device import NAME, counted, install, model_device
from mmengine.hooks import Hook

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


def test_with_images_on_the_device_an_iteration_sends_nothing(tmp_path: Path) -> None:
    cfg = build(tmp_path / 'cfg').cfg
    images = dict(cfg.train_dataloader.dataset)
    images['pipeline'] = [step for step in images['pipeline'] if step['type'] != 'RandomCrop']
    data = dict(type='amlfs_mm.InMemoryImages', dataset=images, padding=1, flip_prob=0.5)

    def run(name: str, device: str, *hooks: Hook) -> None:
        dataset = dict(data, device=device, _delete_=True)
        options = {'train_cfg.max_epochs': 1, 'train_dataloader.dataset': dataset}
        search(tmp_path / name, *hooks, **options)

    run('cpu', 'cpu')
    with model_device(), counted() as traffic:
        watch = IterationTraffic(traffic, LOG_INTERVAL)
        run('device', NAME, watch)
    assert_same_run(tmp_path / 'cpu', tmp_path / 'device', 'epoch_1.pth')
    assert len(watch.between_logs) == 4 * 4
    for waited, sent in watch.between_logs:
        assert not waited, waited
        assert not sent, sent


def test_an_evaluation_waits_at_most_once_a_batch(tmp_path: Path) -> None:
    with model_device():
        runner = build(tmp_path, **{'val_dataloader.batch_size': 25})
        with counted() as traffic:
            metrics = runner.val()
    assert 0 <= metrics['accuracy/top1'] <= 100
    assert traffic.waits.total() <= 4, traffic.waits


def test_averaged_weights_and_accumulated_gradients_are_handed_over_and_replayed(
    tmp_path: Path,
) -> None:
    options = {'optim_wrapper.accumulative_counts': 4, 'train_cfg.max_epochs': 2}
    search(tmp_path / 'cpu', EMA, **options)
    with model_device():
        search(tmp_path / 'device', EMA, **options)
        schedule = str(tmp_path / 'cpu' / 'loss_schedule.json')
        replay = dict(type='amlfs_mm.LossReplayHook', schedule=schedule)
        build(tmp_path / 'replay', custom_hooks=[replay, EMA], **options).train()
    assert_same_run(tmp_path / 'cpu', tmp_path / 'device', 'epoch_2.pth')
    wanted, *others = (load(tmp_path / n / 'epoch_2.pth') for n in ('cpu', 'device', 'replay'))
    for other in others:
        for key in ('state_dict', 'optimizer', 'ema_state_dict'):
            assert_equal(wanted[key], other[key], key)


def test_two_processes_hand_the_winner_over(tmp_path: Path, tiny_run: Path) -> None:
    config = config_with(tmp_path)
    config.write_text(config.read_text().replace('helpers.faults', 'helpers.standin_process'))
    job = Job(tmp_path / 'run', config=config, processes=2).finish()
    assert f'{NAME}:0' in job.log()
    assert_same_run(tiny_run, tmp_path / 'run')
