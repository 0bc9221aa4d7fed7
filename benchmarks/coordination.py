"""What it costs to be many: start-up, coordination and memory of 1 to 32 processes on this machine.

    PYTHONPATH=. python benchmarks/coordination.py --processes 1 2 4 8 16 32

Needs no GPU and no data: the tiny search of the tests, one candidate a process. Prints a line for
each number of processes:

- start-up: seconds from the command, as a user gives it, to the log's line 'Loss search:';
- total: seconds of the whole command, with ``--epochs`` epochs;
- meet, rewards, hand over: milliseconds that the three cost an epoch when nobody is waited for, in
  real gloo processes; the slowest process's, the median over ``--rounds`` rounds; and their sum;
- own: memory that a process shares with no other (USS), MB, the most of any process while all of
  them live; PSS: the same with its share of what is shared; all: the most of the sum of PSS;
  written: the most that a process has written to (private dirty) at any time, also while the
  first one draws the plots at the end;
- load: of the machine, at the end of the line's measurements.

With more processes than cores all times grow with the cores' queue.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from hand_over import join, stand_in, train_a_step
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmpretrain import models  # noqa: F401  (forked processes then need not import them)

from amlfs_mm.engine import Population, TrainingState
from amlfs_mm.engine.state.broadcast import broadcast_state

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / 'tests/configs/tiny_search.py'


def train(processes: int, epochs: int, port: int) -> dict[str, float]:
    """Run a search as a user does; its times in seconds, its memory in MB."""
    with tempfile.TemporaryDirectory() as work_dir, open(Path(work_dir) / 'output', 'w') as output:
        command = [sys.executable, 'tools/train.py', str(CONFIG)]
        if processes > 1:
            command = ['bash', 'tools/dist_train.sh', str(CONFIG), str(processes)]
        command += ['--work-dir', work_dir, '--cfg-options', f'train_cfg.max_epochs={epochs}']
        command += [f'custom_hooks.0.num_candidates={processes}']
        environment = {
            **os.environ, 'PYTHON': sys.executable, 'PYTHONPATH': str(ROOT), 'PORT': str(port)
        }  # fmt: skip
        begin = time.monotonic()
        job = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        start_up = None
        most = dict(own=0.0, pss=0.0, all=0.0, written=0.0)
        while job.poll() is None:
            time.sleep(0.05 if start_up is None else 0.5)
            if start_up is not None:
                own, pss, written = zip(*memory_of(job.pid), (0, 0, 0), strict=True)
                now = dict(written=max(written))
                if len(own) > processes:  # else what others shared with one has become its own
                    now |= dict(own=max(own), pss=max(pss), all=sum(pss))
                most = {kind: max(size, now.get(kind, 0)) for kind, size in most.items()}
            elif 'Loss search:' in Path(output.name).read_text():
                start_up = time.monotonic() - begin
        if job.returncode or start_up is None:
            raise RuntimeError(Path(output.name).read_text()[-3000:])
        return dict(start_up=start_up, total=time.monotonic() - begin, **most)


def memory_of(launcher: int) -> list[tuple[float, float, float]]:
    """USS, PSS, private dirty memory of each training process (and loader worker), in MB."""
    found = []
    for pid in family(launcher):
        try:
            command = Path(f'/proc/{pid}/cmdline').read_text()
            if 'train.py' not in command or 'torch.distributed.run' in command:
                continue  # the shell, torchrun
            lines = Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()[1:]
        except OSError:
            continue  # it has ended
        size = {name.rstrip(':'): int(value) / 1e3 for name, value, _ in map(str.split, lines)}
        written = size['Private_Dirty']
        found.append((size['Private_Clean'] + written, size['Pss'], written))
    return [sizes for sizes in found if sizes[1]]


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    try:
        threads = Path(f'/proc/{pid}/task').iterdir()
        children = [int(c) for t in threads for c in (t / 'children').read_text().split()]
    except OSError:
        return []
    return [pid] + [one for child in children for one in family(child)]


def coordinate(rank: int, processes: int, rounds: int, port: int, results: mp.SimpleQueue) -> None:
    """What joins the candidates of an epoch, again and again; rank 0 puts (rounds, 3) seconds."""
    everyone = None
    if processes > 1:
        everyone = join(rank, processes, port)
    population = Population.split_world()
    runner = stand_in(MODELS.build(Config.fromfile(CONFIG).model))
    train_a_step(runner)
    state = TrainingState.capture(runner)
    taken = torch.zeros(rounds, 3, dtype=torch.float64)
    for number in range(rounds):
        if everyone is not None:
            dist.barrier(everyone)
        moments = [time.perf_counter()]
        population.liveness.barrier(f'rewards/{number}')
        moments.append(time.perf_counter())
        population.exchange_rewards({rank: 0.5}, processes)
        moments.append(time.perf_counter())
        state = broadcast_state(population, state, number % processes, into=state)
        moments.append(time.perf_counter())
        taken[number] = torch.tensor(moments, dtype=torch.float64).diff()
    if everyone is not None:
        dist.all_reduce(taken, dist.ReduceOp.MAX, group=everyone)
    if rank == 0:
        results.put(taken.tolist())
    if everyone is not None:
        dist.barrier(everyone)
        dist.destroy_process_group()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--processes', type=int, nargs='+', default=[1, 2, 4, 8, 16, 32])
    parser.add_argument('--epochs', type=int, default=2)
    parser.add_argument('--rounds', type=int, default=50)
    parser.add_argument('--port', type=int, default=29621)
    args = parser.parse_args()

    torch.set_num_threads(1)
    init_default_scope('mmpretrain')
    print(f'{"":11}{"seconds":17}{"ms an epoch":35}MB')
    print(
        'processes  start-up   total    meet  rewards  hand over    sum   own   PSS    all', end=''
    )
    print(' written   load')
    for n in args.processes:
        ran = train(n, args.epochs, args.port)
        results = mp.get_context('fork').SimpleQueue()
        mp.start_processes(
            coordinate, (n, args.rounds, args.port, results), nprocs=n, start_method='fork'
        )
        steps = results.get()
        meet, rewards, hand_over = (1000 * median(step) for step in zip(*steps, strict=True))
        print(
            f'{n:9}  {ran["start_up"]:8.1f}{ran["total"]:8.1f}{meet:8.1f}{rewards:9.1f}'
            f'{hand_over:11.1f}{meet + rewards + hand_over:7.1f}'
            f'{ran["own"]:6.0f}{ran["pss"]:6.0f}{ran["all"]:7.0f}{ran["written"]:8.0f}{os.getloadavg()[0]:7.0f}',
            flush=True,
        )


if __name__ == '__main__':
    main()
