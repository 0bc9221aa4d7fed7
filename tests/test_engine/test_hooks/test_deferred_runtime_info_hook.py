"""The losses in the log are those of mmengine's own hook, and no iteration waits for them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.iteration_traffic import IterationTraffic
from helpers.runs import build, load
from helpers.standin_device import counted, install, model_device
from mmengine.logging import HistoryBuffer, MessageHub

install()
LOG_INTERVAL, ITERATIONS = 2, 4  # of an epoch


def train(
    work_dir: Path, runtime_info: str | None
) -> tuple[list[dict], MessageHub, IterationTraffic]:
    """The log's lines, the message hub, and what crossed in each iteration without a line."""
    options = {'custom_hooks': [], 'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 5}
    options['default_hooks.logger.interval'] = LOG_INTERVAL
    options['train_dataloader.dataset.indices'] = 16 * ITERATIONS
    if runtime_info is not None:
        options['default_hooks.runtime_info'] = dict(type=runtime_info)
    with model_device():
        runner = build(work_dir, **options)
        with counted() as traffic:
            watch = IterationTraffic(traffic, LOG_INTERVAL)
            runner.register_hook(watch)
            runner.train()
    (file,) = work_dir.glob('*/vis_data/scalars.json')
    return list(map(json.loads, file.read_text().splitlines())), runner.message_hub, watch


@pytest.fixture(scope='module')
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple]:
    work_dir = tmp_path_factory.mktemp('deferred')
    return dict(
        ours=train(work_dir / 'ours', None),
        theirs=train(work_dir / 'theirs', 'RuntimeInfoHook'),
        work_dir=work_dir,
    )


def test_the_log_is_that_of_mmengine(runs: dict) -> None:
    (ours, _, _), (theirs, _, _) = runs['ours'], runs['theirs']
    clock = {'time', 'data_time', 'memory'}
    ours, theirs = (
        [{k: v for k, v in line.items() if k not in clock} for line in lines]
        for lines in (ours, theirs)
    )
    assert ours == theirs
    assert [line['step'] for line in ours if 'loss' in line] == [2, 4, 6, 8]


def test_the_message_hub_and_the_checkpoint_hold_every_loss(runs: dict) -> None:
    (_, ours, _), (_, theirs, _) = runs['ours'], runs['theirs']
    assert list(ours.log_scalars) == list(theirs.log_scalars)
    histories = [hub.get_scalar('train/loss').data for hub in (ours, theirs)]
    for name in ('ours', 'theirs'):
        saved = load(runs['work_dir'] / name / 'epoch_2.pth')['message_hub']['log_scalars']
        assert type(saved['train/loss']) is HistoryBuffer
        histories.append(saved['train/loss'].data)
    losses, counts = histories[0]
    assert len(losses) == 2 * ITERATIONS
    assert len(set(losses)) > 1
    for history in histories[1:]:
        assert np.array_equal(history[0], losses)
        assert np.array_equal(history[1], counts)


def test_only_mmengines_hook_waits_between_two_log_lines(runs: dict) -> None:
    (_, _, ours), (_, _, theirs) = runs['ours'], runs['theirs']
    assert len(ours.between_logs) == 2 * ITERATIONS // LOG_INTERVAL
    assert not any(waited for waited, _ in ours.between_logs), ours.between_logs
    assert all(waited for waited, _ in theirs.between_logs), theirs.between_logs
