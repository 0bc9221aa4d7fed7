"""Time until amlfs_mm and its launcher can be used, against torch and mmengine alone.

    PYTHONPATH=. python benchmarks/start_up.py [--repeats 7]

Needs no GPU and no data. Every command is a process of its own; they take turns. Prints the median
seconds of each, by the clock and of the CPU, and the median of its ratios to `import torch,
mmengine` of the same turn. Exits with 1 if a ratio by the clock is more than a tenth above 2.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from statistics import median

from measuring import Goal, check, describe_machine, median_ratio, take_turns

ROOT = Path(__file__).resolve().parent.parent
PEER = 'import torch, mmengine'
COMMANDS = {
    PEER: ['-c', PEER],
    'import amlfs_mm': ['-c', 'import amlfs_mm'],
    'tools/train.py --help': ['tools/train.py', '--help'],
}
GOAL = 2.0


def run(arguments: list[str]) -> tuple[float, float]:
    """Seconds by the clock and of the CPU that Python takes for a command."""
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    before, begin = os.times(), time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    seconds, after = time.perf_counter() - begin, os.times()
    user = after.children_user - before.children_user
    return seconds, user + after.children_system - before.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--repeats', type=int, default=7)
    repeats = parser.parse_args().repeats

    describe_machine('mmengine', 'mmpretrain')
    sides = {name: partial(run, arguments) for name, arguments in COMMANDS.items()}
    turns = take_turns(sides, repeats, warm_up=1)  # the first fills the disk's cache
    times = {name: tuple(zip(*taken, strict=True)) for name, taken in turns.items()}
    goals = []
    print(f'{"":24}{"seconds":>9}{"of CPU":>9}{"ratio":>9}{"of CPU":>9}')
    for name, (clock, cpu) in times.items():
        ratios = [median_ratio(*pair) for pair in zip((clock, cpu), times[PEER], strict=True)]
        print(f'{name:24}{median(clock):9.2f}{median(cpu):9.2f}{ratios[0]:9.2f}{ratios[1]:9.2f}')
        if name != PEER:
            goals.append(Goal(f'{name} / {PEER}', ratios[0], GOAL))
    sys.exit(check(goals))


if __name__ == '__main__':
    main()
