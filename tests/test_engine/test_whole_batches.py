"""Batches that stay whole: how a runner lays out images and weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from helpers.runs import assert_same_run, build
from mmengine.hooks import Hook


class Layouts(Hook):
    """Whether a convolution's weights are channels last, in each epoch of each candidate."""

    def __init__(self) -> None:
        self.seen: list[bool] = []

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if batch_idx == 0:
            layout = torch.channels_last
            convolutions = [p for p in runner.model.parameters() if p.ndim == 4]
            self.seen += [p.is_contiguous(memory_format=layout) for p in convolutions]


def train(work_dir: Path, runner_type: str = 'amlfs_mm.LossSearchRunner', **options) -> list[bool]:
    runner = build(work_dir, runner_type, **options)
    layouts = Layouts()
    runner.register_hook(layouts)
    runner.train()
    return layouts.seen


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a LossSearchRunner sets it by itself
    yield
    torch.set_num_threads(threads)


def test_weights_are_laid_out_as_the_images(tmp_path: Path, one_thread: None):
    """Through captures, hand-overs and a resume, with the same search."""
    seen = train(tmp_path / 'search')
    assert seen
    assert all(seen)
    assert all(train(tmp_path / 'plain', 'Runner'))
    assert_same_run(tmp_path / 'search', tmp_path / 'plain')
    (tmp_path / 'resumed').mkdir()
    for name in ('epoch_2.pth', 'loss_search.jsonl'):
        (tmp_path / 'resumed' / name).write_bytes((tmp_path / 'search' / name).read_bytes())
    assert all(train(tmp_path / 'resumed', resume=True))
    assert_same_run(tmp_path / 'search', tmp_path / 'resumed')


def test_weights_stay_as_they_are_without_it(tmp_path: Path):
    runner = build(tmp_path, **{'data_preprocessor.channels_last': False})
    weights = [p for p in runner.model.parameters() if p.ndim == 4]
    assert weights
    assert all(p.is_contiguous() for p in weights)
