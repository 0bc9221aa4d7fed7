"""Time MegaFace's identification against matrix multiplication, in one run.

    OMP_NUM_THREADS=2 python benchmarks/face_identification.py [--repeats 3]

3,530 probes of 80 persons against 1,000,000 distractors and half as many, 512 numbers each, drawn
and written to a file (2 GB in --folder) before anything is timed. Every measurement is a process
of its own, so that its peak memory is its own; it reads the file in chunks, which is part of its
time. The machine's speed is that of torch multiplying square float32 matrices in the same process,
before and after; a share compares the multiplications that the protocol needs, per second, with it:
seconds on the clock, and processor seconds, which other work on the machine disturbs less. Prints
medians and the range of the share. Goals, with all distractors: 70 % of the product's speed, less
than 2 GB.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from measuring import Goal, check, describe_machine, in_own_process, median_ratio, take_turns

PROBES, PERSONS, DIM, CHUNK = 3530, 80, 512, 16384
SQUARE = 4096
SHARE_GOAL, MEMORY_GOAL = 0.7, 2.0


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--distractors', type=int, default=1_000_000)
    parser.add_argument('--ranks', type=int, nargs='+', default=[1])
    parser.add_argument('--folder', help='for the file of distractors; default: the system’s')
    return parser.parse_args()


def write_distractors(path: Path, count: int) -> None:
    draw = np.random.default_rng(0)
    with open(path, 'wb') as file:
        for start in range(0, count, CHUNK):
            chunk = draw.standard_normal((min(CHUNK, count - start), DIM), dtype=np.float32)
            chunk.tofile(file)


def read_distractors(path: Path, count: int) -> Iterator[np.ndarray]:
    for start in range(0, count, CHUNK):
        rows = min(CHUNK, count - start)
        offset = 4 * DIM * start
        yield np.fromfile(path, np.float32, rows * DIM, offset=offset).reshape(rows, DIM)


def draw_probes() -> tuple[np.ndarray, np.ndarray]:
    """Around a centre a person, so that about half of the mates come before all distractors."""
    draw = np.random.default_rng(1)
    ids = draw.integers(0, PERSONS, PROBES)
    centres = draw.standard_normal((PERSONS, DIM), dtype=np.float32)
    noise = draw.standard_normal((PROBES, DIM), dtype=np.float32)
    return centres[ids] + 1.9 * noise, ids


def clocks() -> np.ndarray:
    """Seconds on the clock and of all this process's threads."""
    return np.array([time.perf_counter(), time.process_time()])


def multiplication_speed() -> np.ndarray:
    """Floating-point operations a second, by both clocks, of a product of square matrices: the
    best of three."""
    one, other = torch.randn(2, SQUARE, SQUARE)
    product = torch.empty(SQUARE, SQUARE)
    seconds = []
    for _ in range(3):
        started = clocks()
        torch.mm(one, other, out=product)
        seconds.append(clocks() - started)
    return 2 * SQUARE**3 / np.min(seconds, axis=0)


def measure(path: Path, count: int, ranks: list[int]) -> tuple:
    """Run once in this process: seconds, peak memory in GB, the machine's GFLOP/s, shares of it by
    both clocks, and the rates."""
    from amlfs_mm.evaluation import identification_rate

    probes, ids = draw_probes()
    before = multiplication_speed()
    started = clocks()
    rates = identification_rate(probes, ids, read_distractors(path, count), ranks)
    seconds = clocks() - started
    machine = (before + multiplication_speed()) / 2
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    shares = 2 * PROBES * DIM * count / seconds / machine
    return (seconds[0], peak, machine[0] / 1e9, *shares, rates)


def main() -> int:
    args = parse_args()
    describe_machine('numpy')
    sizes = (args.distractors // 2, args.distractors)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / 'distractors'
        write_distractors(path, args.distractors)
        sides = {n: lambda n=n: in_own_process(measure, path, n, args.ranks) for n in sizes}
        runs = take_turns(sides, args.repeats)
    print(
        '\n| distractors | seconds | peak memory, GB | matrix product, GFLOP/s | share of it '
        '| in processor time |\n|---|---|---|---|---|---|'
    )
    for size, results in runs.items():
        columns = list(zip(*results, strict=True))
        seconds, peak, speed = map(statistics.median, columns[:3])
        shares = ' | '.join(
            f'{100 * statistics.median(share):.0f} % '
            f'({100 * min(share):.0f} to {100 * max(share):.0f})'
            for share in columns[3:5]
        )
        print(f'| {size:,} | {seconds:.1f} | {peak:.2f} | {speed:.1f} | {shares} |')
    half, whole = ([run[0] for run in runs[size]] for size in sizes)
    print(f'\ntwice the distractors: {median_ratio(whole, half):.2f} x the seconds')
    print(f'rates: {results[0][5]}')
    share = statistics.median(run[3] for run in results)
    return check(
        [
            Goal("share of the matrix product's speed", share, SHARE_GOAL, at_least=True),
            Goal('peak memory, GB', peak, MEMORY_GOAL),
        ]
    )


if __name__ == '__main__':
    sys.exit(main())
