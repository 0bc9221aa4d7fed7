"""What the benchmarks share."""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from helpers.runs import ROOT

sys.path.insert(0, str(ROOT / 'benchmarks'))

from measuring import Goal, alternate, check, in_own_process, median_ratio, require, take_turns
from search_overhead import StepClock


@pytest.mark.parametrize(
    ('measured', 'wanted', 'at_least', 'code', 'verdict'),
    [
        (1.02, 1.02, False, 0, 'met'),
        (1.12, 1.02, False, 0, 'missed by under 10 %'),
        (1.13, 1.02, False, 1, 'MISSED'),
        (1.8, 1.8, True, 0, 'met'),
        (1.65, 1.8, True, 0, 'missed by under 10 %'),
        (1.6, 1.8, True, 1, 'MISSED'),
        (float('nan'), 1.8, True, 1, 'MISSED'),
    ],
)
def test_goal(measured, wanted, at_least, code, verdict, capsys):
    assert check([Goal('speed', measured, wanted, at_least)]) == code
    assert capsys.readouterr().out.splitlines()[-1].endswith(f'| {verdict} |')


def test_one_missed_goal_is_enough():
    assert check([Goal('one', 1.0, 2.0), Goal('other', 3.0, 2.0), Goal('third', 1.0, 2.0)]) == 1


def test_sides_take_turns():
    called = []
    sides = {name: lambda name=name: called.append(name) or len(called) for name in 'ab'}
    assert take_turns(sides, repeats=2, warm_up=1) == dict(a=[3, 5], b=[4, 6])
    assert called == list('ababab')


def test_ratio_is_of_pairs_not_of_medians():
    # The machine was ten times as slow in the second turn.
    assert median_ratio([1, 10, 1], [2, 20, 2]) == 0.5


@pytest.mark.slow  # a fresh Python that imports torch
def test_own_process():
    assert in_own_process(os.getpid) != os.getpid()


def work(log: Path, name: str, pieces: int, pause: Callable[[], None]) -> int:
    for piece in range(pieces):
        pause()
        with open(log, 'a') as file:
            file.write(f'{name}{piece} began\n')
        time.sleep(0.05)
        with open(log, 'a') as file:
            file.write(f'{name}{piece} ended\n')
    return os.getpid()


@pytest.mark.slow  # fresh Pythons that import torch
def test_alternating_sides_never_work_at_the_same_time(tmp_path: Path):
    log = tmp_path / 'log'
    sides = {name: partial(work, log, name, pieces) for name, pieces in (('a', 2), ('b', 3))}
    pids = alternate(sides)
    assert set(pids) == {'a', 'b'}
    assert len({os.getpid(), *pids.values()}) == 3
    order = ['a0', 'b0', 'a1', 'b1', 'b2']
    assert log.read_text().split('\n')[:-1] == [
        f'{p} {w}' for p in order for w in ('began', 'ended')
    ]


def fail(pause: Callable[[], None]) -> None:
    pause()
    raise RuntimeError('no more')


@pytest.mark.slow  # fresh Pythons that import torch
def test_a_side_that_fails_ends_the_others(tmp_path: Path):
    with pytest.raises(EOFError) as error:  # as in a script that it ends, its frames stay alive
        alternate(dict(a=partial(work, tmp_path / 'log', 'a', 9), b=fail))
    for process in multiprocessing.active_children():
        process.join(timeout=10)
    assert not multiprocessing.active_children()
    assert error.tb


def test_missing_peer_is_named_with_what_to_install():
    require('torch')
    with pytest.raises(SystemExit, match='no_such_peer') as error:
        require('torch', 'no_such_peer')
    assert 'pip install -r requirements/bench.txt' in str(error.value)
    assert (ROOT / 'requirements' / 'bench.txt').is_file()


class Work:
    def whole(self) -> None:
        time.sleep(0.02)
        self.part()
        self.part()

    def part(self) -> None:
        time.sleep(0.05)


def test_a_step_is_counted_without_the_steps_that_it_calls():
    clock, work = StepClock(), Work()
    clock.watch(work, 'whole', 'the rest')
    clock.watch(work, 'part', 'the parts')
    began = time.perf_counter()
    work.whole()
    lasted = time.perf_counter() - began
    assert 0.1 <= clock.seconds['the parts'] <= lasted - 0.02
    assert 0.02 <= clock.seconds['the rest'] <= lasted - 0.1
