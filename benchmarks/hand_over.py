"""How fast the winner's state travels: ResNet-50 with SGD momentum, against one plain broadcast.

    PYTHONPATH=. python benchmarks/hand_over.py --processes 2 --repeats 15

Gloo processes on this machine; no GPU, no data. Ways of moving the same number of bytes take turns.
Printed are each way's time, in the slowest process, and the plain broadcast's time as a share of
it: the median over the repeats, then of the best of each. Hand-over goes into the memory of the
round's start, as in the hook; with restore, the live model and optimizer hold the winner.

Then the most memory that hand-over and restore need on top of what lay in memory before them, in
units of the state: for a receiver (the worst one), which holds the round's start, and for the
winner, which holds the start and its best state. The first round's start has no momentum yet, so
that the winner's state does not fit into its memory.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from types import SimpleNamespace

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from amlfs_mm.engine import Population, TrainingState
from amlfs_mm.engine.state.broadcast import broadcast_state


def stand_in(model: nn.Module) -> SimpleNamespace:
    """The parts of a runner that a state is captured from: model, SGD with momentum, schedule."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    return SimpleNamespace(
        model=model,
        optim_wrapper=OptimWrapper(optimizer),
        param_schedulers=[torch.optim.lr_scheduler.MultiStepLR(optimizer, [30, 60])],
        hooks=[],
        iter=0,
        train_loop=SimpleNamespace(_iter=0),
    )


def train_a_step(runner: SimpleNamespace) -> None:
    """Move every weight and its momentum by random gradients, which stay in memory afterwards."""
    for parameter in runner.model.parameters():
        if parameter.grad is None:
            parameter.grad = torch.empty_like(parameter)
        parameter.grad.normal_()
    runner.optim_wrapper.step()


def join(rank: int, processes: int, port: int) -> dist.ProcessGroup:
    """A group of all processes besides the default one, which becomes the sub-runner."""
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    dist.init_process_group('gloo', rank=rank, world_size=processes)
    return dist.new_group()


def train_a_round(
    runner: SimpleNamespace, population: Population
) -> tuple[TrainingState, TrainingState | None]:
    """What the hook holds when it hands over: the start, and the winner its best state."""
    start = TrainingState.capture(runner)
    train_a_step(runner)
    return start, TrainingState.capture(runner) if population.sub_runner == 0 else None


def slowest_time(action: Callable, group: dist.ProcessGroup) -> float:
    """Seconds that an action of all processes takes in the slowest of them."""
    dist.barrier(group)
    begin = time.perf_counter()
    action()
    taken = torch.tensor(time.perf_counter() - begin, dtype=torch.float64)
    dist.all_reduce(taken, dist.ReduceOp.MAX, group=group)
    return taken.item()


def times(
    runner: SimpleNamespace, population: Population, repeats: int, group: dist.ProcessGroup
) -> dict[str, list[float]]:
    """Seconds of each way, once a repeat; a first turn does not count."""
    start, best = train_a_round(runner, population)
    flat = torch.ones(start.bytes // 4)
    live = torch.ones_like(flat)

    def hand_over() -> TrainingState:
        nonlocal start  # its memory goes on as the received state's
        start = broadcast_state(population, best, 0, into=start)
        return start

    def plain() -> Tensor:
        dist.broadcast(flat, 0, group=group)
        return flat

    ways = {
        'plain broadcast': plain,
        'hand-over': hand_over,
        'hand-over + restore': lambda: hand_over().restore(runner),
        'plain broadcast + copy': lambda: live.copy_(plain()),
    }
    taken = [{k: slowest_time(way, group) for k, way in ways.items()} for _ in range(repeats + 1)]
    return {name: [turn[name] for turn in taken[1:]] for name in ways}


def extra_memory(runner: SimpleNamespace, population: Population) -> int:
    """The most bytes that one hand-over with restore needs on top of those before it."""

    def of_this_process(kind: str) -> int:
        lines = Path('/proc/self/status').read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(kind))

    start, best = train_a_round(runner, population)
    Path('/proc/self/clear_refs').write_text('5')  # VmHWM, the most memory so far, starts anew
    before = of_this_process('VmRSS')
    broadcast_state(population, best, 0, into=start).restore(runner)
    return of_this_process('VmHWM') - before


def check_equal(runner: SimpleNamespace, group: dist.ProcessGroup) -> None:
    """All processes hold the winner's weights and momentum."""
    own = TrainingState.capture(runner).flat['cpu', torch.float32]
    winners = own.clone()
    dist.broadcast(winners, 0, group=group)
    assert torch.equal(own, winners)


def work(rank: int, processes: int, port: int, repeats: int) -> None:
    """One process of the job; the first one prints."""
    from torchvision.models import resnet50

    torch.set_num_threads(1)
    torch.manual_seed(rank)
    everyone = join(rank, processes, port)
    population = Population.split_world()
    runner = stand_in(resnet50())

    memory = {'first round': extra_memory(runner, population)}
    memory['later rounds'] = max(extra_memory(runner, population) for _ in range(3))
    taken = times(runner, population, repeats, everyone)
    check_equal(runner, everyone)
    size = TrainingState.capture(runner).bytes
    of_all = [None] * processes
    dist.all_gather_object(of_all, memory, group=everyone)
    if rank == 0:
        report(processes, size, taken, of_all)
    dist.destroy_process_group()


def report(processes: int, size: int, taken: dict[str, list[float]], memory: list[dict]) -> None:
    """Print both tables."""
    plain = taken['plain broadcast']
    load = os.getloadavg()[0]
    print(f'{processes} processes, {size / 1e6:.1f} MB, {len(plain)} repeats, load {load:.0f}')
    print(f'{"":24}{"median ms":>10}{"MB/s":>7}{"of plain":>10}{"best ms":>10}{"of plain":>10}')
    for way, seconds in taken.items():
        middle, best = median(seconds), min(seconds)
        share = median(p / s for p, s in zip(plain, seconds, strict=True))
        print(
            f'{way:24}{1000 * middle:10.0f}{size / middle / 1e6:7.0f}{share:10.2f}'
            f'{1000 * best:10.0f}{min(plain) / best:10.2f}'
        )
    print(f'\n{"extra memory, in states":24}{"receiver":>10}{"winner":>10}')
    for name, winner in memory[0].items():
        receiver = max(others[name] for others in memory[1:])
        print(f'{name:24}{receiver / size:10.2f}{winner / size:10.2f}')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--processes', type=int, default=2)
    parser.add_argument('--repeats', type=int, default=15)
    parser.add_argument('--port', type=int, default=29611)
    args = parser.parse_args()
    mp.spawn(work, (args.processes, args.port, args.repeats), nprocs=args.processes)


if __name__ == '__main__':
    main()
