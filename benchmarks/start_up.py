"""Time until amlfs_mm and its launcher can be used, against torch and mmengine alone.

    PYTHONPATH=. python benchmarks/start_up.py [--repeats 7]

Needs no GPU and no data. Every command is a process of its own; they take turns. Prints the median
seconds of each, by the clock and of the CPU, and the median of its ratios to `import torch,
mmengine` of the same turn. Exits with 1 if a ratio by the clock is more than 10 % above the 2.0
that it should not exceed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
PEER = 'import torch, mmengine'
COMMANDS = {
    PEER: ['-c', PEER],
    'import amlfs_mm': ['-c', 'import amlfs_mm'],
    'tools/train.py --help': ['tools/train.py', '--help'],
}
MOST = 2.0
SLACK = 1.1


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


def measure(repeats: int) -> dict[str, list[tuple[float, float]]]:
    """The times of each command, turn by turn, after one turn that fills the disk's cache."""
    times = {name: [] for name in COMMANDS}
    for turn in range(repeats + 1):
        for name, arguments in COMMANDS.items():
            taken = run(arguments)
            if turn:
                times[name].append(taken)
    return times


def ratios(times: list[tuple[float, float]], peer: list[tuple[float, float]]) -> list[float]:
    """Medians over the turns of the ratios to the peer, by the clock and of the CPU."""
    return [
        median(mine[kind] / its[kind] for mine, its in zip(times, peer, strict=True))
        for kind in (0, 1)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--repeats', type=int, default=7)
    times = measure(parser.parse_args().repeats)

    print(f'{"":24}{"seconds":>9}{"of CPU":>9}{"ratio":>9}{"of CPU":>9}')
    missed = False
    for name, taken in times.items():
        clock, cpu = (median(kind) for kind in zip(*taken, strict=True))
        ratio, cpu_ratio = ratios(taken, times[PEER])
        missed |= ratio > MOST * SLACK
        print(f'{name:24}{clock:9.2f}{cpu:9.2f}{ratio:9.2f}{cpu_ratio:9.2f}')
    sys.exit(int(missed))


if __name__ == '__main__':
    main()
