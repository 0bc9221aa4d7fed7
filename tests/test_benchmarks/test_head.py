"""The head's benchmark: what it counts as memory, and when it says that a goal is missed."""

import importlib.util
import sys

import pytest
import torch
from helpers.runs import ROOT

sys.path.insert(0, str(ROOT / 'benchmarks'))
spec = importlib.util.spec_from_file_location('benchmark_head', ROOT / 'benchmarks' / 'head.py')
head = importlib.util.module_from_spec(spec)
spec.loader.exec_module(head)


def test_memory_is_the_most_that_is_held_at_a_time():
    """Two tensors of 4 MB together, then, these gone, one of 6 MB."""
    megabyte = 2**18

    def step() -> None:
        one, other = torch.ones(4 * megabyte), torch.ones(4 * megabyte)
        del one, other
        torch.ones(6 * megabyte)

    torch.ones(20 * megabyte)  # before: of no account
    assert head.peak_memory(step, 'cpu') == 8 * 2**20


def test_the_searched_head_needs_no_more_memory_than_plain_softmax():
    """(64, 32, 2000): goal: one N x C tensor more at most."""
    sizes = [
        head.peak_memory(head.make_step(side, '64x32x2000', 'cpu', False), 'cpu')
        for side in ('plain', head.OURS)
    ]
    plain, ours = (size / (4 * 64 * 2000) for size in sizes)
    assert ours - plain <= head.MEMORY_GOAL
    assert ours > 1


@pytest.mark.parametrize(
    ('size', 'plain', 'arcface', 'memory', 'missed'),
    [
        ('64x2048x751', 1.0, 1.0, 3.0, []),
        ('64x2048x751', 1.15, 1.0, 4.0, []),  # within the slack
        ('64x2048x751', 1.17, 1.0, 3.0, ['1.17 x the time of plain, goal 1.05']),
        ('128x64x10', 1.17, 1.0, 3.0, []),  # not asked of few classes
        ('128x64x10', 1.0, 1.2, 3.0, ['1.20 x the time of mmpretrain ArcFaceClsHead, goal 1.0']),
        ('128x64x10', 1.0, 1.0, 4.2, ['1.20 N x C tensors more than plain, goal 1.0']),
    ],
)
def test_missed_goals(size, plain, arcface, memory, missed):
    """Every side's steps take a second, but where the case says how many times it ours takes."""
    seconds = {side: [3.0] * 3 for side in head.SIDES}
    seconds['plain'] = [3 / plain] * 3
    seconds['mmpretrain ArcFaceClsHead'] = [3 / arcface] * 3
    held = dict.fromkeys(head.SIDES, 3.0) | {head.OURS: memory}
    found = head.missed_goals(size, seconds, held)
    assert found == [f'{size}: {line}' for line in missed]


def test_a_missing_peer_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pytorch_metric_learning', None)
    monkeypatch.setattr(sys, 'argv', ['head.py', '--sizes', '4x3x2'])
    with pytest.raises(SystemExit, match=r'pytorch-metric-learning .*requirements/bench\.txt'):
        head.main()
