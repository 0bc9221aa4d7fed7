"""The bare loop trains what the search trains; the benchmark gives its ratios."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from helpers.runs import ROOT

sys.path.insert(0, str(ROOT / 'benchmarks'))

import bare_loop
from mmengine.registry import RUNNERS


def small(rounds: int) -> bare_loop.Task:
    return bare_loop.mlp(rounds, candidates=2, size=640)


def test_both_sides_train_the_same_step(tmp_path: Path):
    """The same images without augmentation, from the same weights: the same gradients."""
    config = bare_loop.config_of(small(1), str(tmp_path))
    config.train_dataloader.dataset.pipeline = [dict(type='PackInputs')]
    runner = RUNNERS.build(config)
    batch = next(iter(runner.train_dataloader))
    bare = bare_loop.BareSearch(small(1))
    bare.backbone.load_state_dict(runner.model.backbone.state_dict())
    bare.head.load_state_dict(runner.model.head.state_dict())
    for module in (runner.model, bare.module):
        module.train()
    data = runner.model.data_preprocessor(batch, training=True)
    runner.model(**data, mode='loss')['loss'].backward()
    bare.loss(batch['inputs'], batch['data_samples'].labels).backward()
    theirs = [*runner.model.backbone.parameters(), *runner.model.head.parameters()]
    for one, other in zip(theirs, bare.module.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
    one, other = runner.build_optim_wrapper(runner.optim_wrapper).optimizer, bare.optimizer
    assert type(one) is type(other)
    assert one.defaults == other.defaults


def test_both_sides_measure_each_round_but_the_first():
    task = small(2)
    for side in (bare_loop.run_bare, bare_loop.run_search):
        pauses = []
        (seconds,) = side(task, lambda pauses=pauses: pauses.append(1))
        assert len(pauses) == 2
        assert 0 < seconds['iteration'] < seconds['round']
        assert seconds['evaluation'] > 0


def test_ratios_are_of_turns():
    measured = dict(
        bare=[dict(round=1.0), dict(round=2.0), dict(round=4.0)],
        search=[dict(round=2.0), dict(round=2.2), dict(round=5.0)],
    )
    assert bare_loop.ratio(measured, 'round') == pytest.approx(1.25)
