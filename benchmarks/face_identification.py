"""Time MegaFace's identification against matrix multiplication, in one run.

    OMP_NUM_THREADS=2 python benchmarks/face_identification.py [--repeats 3]

3,530 probes of 80 persons against 1,000,000 distractors and half as many, 512 numbers each, drawn
and written to a file (2 GB in --folder) before anything is timed. Every measurement is a process
of its own, so that its peak memory is its own; it reads the file in chunks, which is part of its
time. The machine's speed is that of torch multiplying square float32 matrices in the same process,
before and after; a share compares the multiplications that the protocol needs, per second, with it:
seconds on the clock, and processor seconds, which other work on the machine disturbs less. Prints
medians and the range of the share.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

PROBES, PERSONS, DIM, CHUNK = 3530, 80, 512, 16384
SQUARE = 4096


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


def measure(path: Path, count: int, ranks: list[int], pipe) -> None:
    """Run once in this process; send seconds, peak memory in GB, the machine's GFLOP/s, shares of
    it by both clocks, and the rates."""
    from amlfs_mm.evaluation import identification_rate

    probes, ids = draw_probes()
    before = multiplication_speed()
    started = clocks()
    rates = identification_rate(probes, ids, read_distractors(path, count), ranks)
    seconds = clocks() - started
    machine = (before + multiplication_speed()) / 2
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    shares = 2 * PROBES * DIM * count / seconds / machine
    pipe.send((seconds[0], peak, machine[0] / 1e9, *shares, rates))


def in_own_process(*arguments) -> tuple:
    context = multiprocessing.get_context('spawn')
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=measure, args=(*arguments, sender))
    process.start()
    sender.close()
    result = receiver.recv()
    process.join()
    return result


def main() -> None:
    args = parse_args()
    busy, cores = os.getloadavg()[0], os.cpu_count()
    print(f'{cores} cores, torch threads {torch.get_num_threads()}, load before: {busy:.1f}')
    sizes = (args.distractors // 2, args.distractors)
    runs = {size: [] for size in sizes}
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / 'distractors'
        write_distractors(path, args.distractors)
        for _ in range(args.repeats):
            for size in sizes:
                runs[size].append(in_own_process(path, size, args.ranks))
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
    half, whole = (statistics.median(run[0] for run in runs[size]) for size in sizes)
    print(f'\ntwice the distractors: {whole / half:.2f} x the seconds; rates {results[0][5]}')
    print(f'load after: {os.getloadavg()[0]:.1f}')


if __name__ == '__main__':
    main()
