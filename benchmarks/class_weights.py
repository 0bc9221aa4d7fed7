"""Memory and time of a classifier of very many identities, its weights spread over replicas.

    PYTHONPATH=. python benchmarks/class_weights.py --identities 10575 1000000 --replicas 1 2 4

Gloo processes on this machine; no GPU, no data. Each trains ``AMLFSHead(sharded=True, scale=30)``
on random features of 512 numbers with SGD and momentum. Printed for each number of replicas, of
the process that has most: the numbers it keeps (weight, gradient, momentum) in MB and as a share
of one replica's; the most memory that training took on top of what the process had before the
head was made; and the median time of a step behind the first.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from statistics import median

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmpretrain.structures import DataSample

from amlfs_mm.engine.distributed.sharded_weights import keep_out_of_ddp
from amlfs_mm.models import AMLFSHead

CHANNELS = 512


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--identities', type=int, nargs='+', default=[10_575, 1_000_000])
    parser.add_argument('--replicas', type=int, nargs='+', default=[1, 2, 4])
    parser.add_argument('--sample-rate', type=float, default=1.0)
    parser.add_argument('--batch', type=int, default=32, help='of all replicas')
    parser.add_argument('--steps', type=int, default=4)
    parser.add_argument('--port', type=int, default=29600)
    return parser.parse_args()


def work(rank: int, replicas: int, identities: int, args: argparse.Namespace, queue) -> None:
    """A replica: train, and report (bytes kept, most memory on top, seconds a step)."""
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(args.port))
    dist.init_process_group('gloo', rank=rank, world_size=replicas)
    torch.set_num_threads(1)
    before = peak_memory()
    head = AMLFSHead(identities, CHANNELS, scale=30.0, sharded=True, sample_rate=args.sample_rate)
    keep_out_of_ddp(head)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1, momentum=0.9)
    seconds = []
    for _ in range(args.steps):
        features = torch.randn(args.batch // replicas, CHANNELS, requires_grad=True)
        target = torch.randint(identities, (len(features),)).tolist()
        started = time.perf_counter()
        head.loss((features,), [DataSample().set_gt_label(t) for t in target])['loss'].backward()
        optimizer.step()
        seconds.append(time.perf_counter() - started)
        if len(seconds) < args.steps:
            optimizer.zero_grad()
    weight = head.fc.weight
    kept = sum(t.nbytes for t in (weight, weight.grad, *optimizer.state[weight].values()))
    queue.put((kept, peak_memory() - before, median(seconds[1:])))
    dist.barrier()
    dist.destroy_process_group()


def peak_memory() -> int:
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    args = parse_args()
    print(f'batch {args.batch}, sample rate {args.sample_rate}')
    print('identities  replicas  kept MB  share  peak MB  share  s a step')
    for identities in args.identities:
        first = None
        for replicas in args.replicas:
            queue = mp.get_context('spawn').SimpleQueue()
            mp.spawn(work, (replicas, identities, args, queue), replicas)
            kept, peak, seconds = map(
                max, zip(*(queue.get() for _ in range(replicas)), strict=True)
            )
            first = first or (kept, peak)
            print(
                f'{identities:10,}  {replicas:8}  {kept / 1e6:7.1f}  {kept / first[0]:5.3f}  '
                f'{peak / 1e6:7.0f}  {peak / first[1]:5.3f}  {seconds:8.2f}',
                flush=True,
            )


if __name__ == '__main__':
    main()
