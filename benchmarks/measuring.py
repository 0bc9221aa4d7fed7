"""What the benchmarks share: taking turns, medians of ratios, goals, the machine they ran on.

A machine that others use too changes its speed from minute to minute. So sides take turns, and what
counts is the median of the ratios of turns, never a time.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch

SLACK = 1.1
"""A goal counts as missed beyond a tenth more than it asks for."""


@dataclass
class Goal:
    """A measured ratio and what it should be.

    Attributes:
        what: For the reader.
        measured: The ratio.
        wanted: Its bound: from above, or with ``at_least`` from below.
        at_least: More is better.
    """

    what: str
    measured: float
    wanted: float
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the ratio is on the right side of its bound."""
        if self.at_least:
            return self.measured >= self.wanted
        return self.measured <= self.wanted

    @property
    def is_missed(self) -> bool:
        """Whether it is on the wrong side by more than a tenth, or not a number."""
        if self.at_least:
            return not self.measured * SLACK >= self.wanted
        return not self.measured <= self.wanted * SLACK


def check(goals: Sequence[Goal]) -> int:
    """Print the goals as a table; the exit code of a benchmark: 1 if one is missed, else 0."""
    print('\n| goal | measured | wanted | |\n|---|---|---|---|')
    for goal in goals:
        bound = f'{">=" if goal.at_least else "<="} {goal.wanted:.4g}'
        verdict = 'met' if goal.is_met else 'MISSED' if goal.is_missed else 'missed by under 10 %'
        print(f'| {goal.what} | {goal.measured:.4g} | {bound} | {verdict} |', flush=True)
    return int(any(goal.is_missed for goal in goals))


def describe_machine(*packages: str) -> None:
    """Print a line with the machine, its load, and the versions of torch and of packages."""
    versions = [f'{name} {version(name)}' for name in ('torch', *packages)]
    print(
        f'{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, '
        f'{torch.get_num_threads()} torch thread(s)\n'
        f'Python {platform.python_version()}, {", ".join(versions)}',
        flush=True,
    )


def processor() -> str:
    """The CPU's name, and the GPU's if there is one."""
    name = platform.machine()
    if os.path.exists('/proc/cpuinfo'):
        with open('/proc/cpuinfo') as file:
            names = [line.split(':', 1)[1].strip() for line in file if line[:10] == 'model name']
        name = next(iter(names), name)
    return f'{name}, {torch.cuda.get_device_name()}' if torch.cuda.is_available() else name


def keep_memory() -> None:
    """Have the processes started from now on keep freed memory for their next allocation.

    glibc else returns large blocks at once and asks for them again in the next training step, more
    or less of it by each process's own luck: two equal runs differed by 10 % in speed, 2 % with it.
    """
    os.environ.update(
        MALLOC_MMAP_THRESHOLD_=str(2**32),
        MALLOC_TRIM_THRESHOLD_=str(2**33),
        MALLOC_TOP_PAD_=str(2**28),
    )


def take_turns(
    sides: Mapping[str, Callable[[], Any]], repeats: int, warm_up: int = 0
) -> dict[str, list]:
    """What each side returns in each repeat, the sides one after the other within a repeat.

    Args:
        sides: Each measures itself once when it is called.
        repeats: That count.
        warm_up: Repeats before them that do not.
    """
    runs = [{name: side() for name, side in sides.items()} for _ in range(warm_up + repeats)]
    return {name: [run[name] for run in runs[warm_up:]] for name in sides}


def median_ratio(ones: Sequence[float], others: Sequence[float]) -> float:
    """The median over turns of one side's figure by the other's."""
    return statistics.median(one / other for one, other in zip(ones, others, strict=True))


def in_own_process(function: Callable, *arguments: Any) -> Any:
    """What a function of a module returns in a fresh process, whose peak memory is its own.

    Raises:
        EOFError: The process died; it has printed why.
    """
    context = multiprocessing.get_context('spawn')
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_call, args=(sender, function, *arguments))
    process.start()
    sender.close()
    result = receiver.recv()
    process.join()
    return result


def alternate(sides: Mapping[str, Callable[[Callable[[], None]], Any]]) -> dict[str, Any]:
    """What functions return that work by turns, each in a fresh process, one at a time.

    Sides that follow each other within seconds meet the same machine, also one whose speed changes
    from minute to minute.

    Args:
        sides: Each a function of a module, called with ``pause``; whenever it calls that, it waits
            until all others have come to their next pause or to their end.

    Raises:
        EOFError: A process died; it has printed why.
    """
    context = multiprocessing.get_context('spawn')
    working, results = {}, {}
    for name, side in sides.items():
        mine, its = context.Pipe()
        process = context.Process(target=_work_by_turns, args=(its, side))
        process.start()
        its.close()
        working[name] = mine, process
    try:
        while working:
            for name, (connection, process) in list(working.items()):
                connection.send('go')
                finished, result = connection.recv()
                if finished:
                    process.join()
                    results[name] = result
                    del working[name]
    finally:
        for _, process in working.values():  # they would wait for their turn for ever
            process.kill()
    return results


def _work_by_turns(connection: Any, side: Callable[[Callable[[], None]], Any]) -> None:
    def pause() -> None:
        connection.send((False, None))
        connection.recv()

    connection.recv()
    connection.send((True, side(pause)))


def _call(sender: Any, function: Callable, *arguments: Any) -> None:
    sender.send(function(*arguments))


def require(*modules: str) -> None:
    """End with a message that names what to install, unless the peers are there."""
    missing = []
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            missing.append(f'{module} ({error})')
    if missing:
        raise SystemExit(
            f'missing: {"; ".join(missing)}. The peers that are measured against are in '
            'requirements/bench.txt:\n'
            '    pip install -r requirements/bench.txt -c requirements/constraints.txt'
        )
