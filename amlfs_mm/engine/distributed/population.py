"""Which process trains which candidate, and how the sub-runners exchange rewards."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta

import torch
import torch.distributed as dist
from mmengine.dist import all_reduce
from mmengine.runner import Runner
from torch import Tensor

from amlfs_mm.utils.devices import wire_device

from .liveness import Liveness
from .process_grid import Process, lay_out


class Population:
    """The processes of a job as a (candidate x replica) grid: G sub-runners of g replicas each.

    A sub-runner is a group of g processes that train one candidate at a time, together. Without a
    process group, or on a plain MMEngine Runner, there is one sub-runner.

    Attributes:
        num_sub_runners: G.
        sub_runner: The sub-runner that this process belongs to, in [0, G).
        replicas: g.
        replica: This process's place in its sub-runner, in [0, g).
        liveness: Signs of life of the job's processes.
        processes: All processes, one row for each sub-runner. Empty for a single process and on a
            plain Runner.
        replica_group: A gloo group of this sub-runner's processes; None if g = 1.
        candidate_group: The group of all processes with this ``replica``, one of each sub-runner;
            None if G = 1.
    """

    def __init__(self) -> None:
        self.num_sub_runners = 1
        self.sub_runner = 0
        self.replicas = dist.get_world_size() if dist.is_initialized() else 1
        self.replica = dist.get_rank() if dist.is_initialized() else 0
        self.liveness = Liveness()
        self.processes: list[list[Process]] = []
        self.replica_group: dist.ProcessGroup | None = None
        self.candidate_group: dist.ProcessGroup | None = None

    @classmethod
    def of_world(cls) -> Population:
        """One sub-runner of all processes, as on a plain MMEngine Runner."""
        population = cls()
        if population.replicas > 1:
            population.replica_group = dist.new_group(backend='gloo')
        return population

    @classmethod
    def split_world(cls, replicas: int | str = 1, timeout: float = 1800) -> Population:
        """Lay the job's processes out as a grid, and let each sub-runner be its own world.

        From here on the default group of ``torch.distributed`` is the sub-runner. So every stock
        part (samplers, DDP, metrics, ``master_only``) sees its own candidate only.

        Args:
            replicas: g, or ``'all'`` for one sub-runner of all processes.
            timeout: Seconds that a collective, or a process without a sign of life, may hang.

        Raises:
            ValueError: g does not divide the number of processes, or replicas share a GPU.
        """
        population = cls()
        if not dist.is_initialized():
            lay_out([Process.this()], replicas)  # raises if one process does not fit
            return population
        store = dist.distributed_c10d._get_default_store()
        rank, size = dist.get_rank(), dist.get_world_size()
        grid = lay_out(_everybody(store, rank, size), replicas)
        population.liveness = Liveness(store, rank, size, timeout)
        population.processes = grid
        population.num_sub_runners, population.replicas = len(grid), len(grid[0])
        population.sub_runner, population.replica = next(
            (k, row.index(process)) for k, row in enumerate(grid) for process in row
            if process.rank == rank
        )  # fmt: skip
        population._make_groups(timedelta(seconds=timeout))
        return population

    def _make_groups(self, timeout: timedelta) -> None:
        backend = dist.get_backend()

        def group(members: list[Process], backend: str) -> dist.ProcessGroup:
            ranks = [process.rank for process in members]
            return dist.new_group(ranks, timeout, backend, use_local_synchronization=True)

        row = self.processes[self.sub_runner]
        column = [row[self.replica] for row in self.processes]
        if self.replicas > 1:
            self.replica_group = group(row, 'gloo')
        if self.num_sub_runners > 1:
            # NCCL allows one process a GPU.
            devices = {(process.node, process.device) for process in column}
            shared = backend == 'nccl' and len(devices) < len(column)
            self.candidate_group = group(column, 'gloo' if shared else backend)
            dist.group.WORLD = group(row, backend)

    @property
    def is_main(self) -> bool:
        """Whether this process writes the search's files and prints."""
        return self.sub_runner == 0 and self.replica == 0

    @property
    def hands_over_by(self) -> str | None:
        """The backend between sub-runners; None if there is one sub-runner."""
        return None if self.candidate_group is None else dist.get_backend(self.candidate_group)

    def candidates_of(self, sub_runner: int, num_candidates: int) -> list[int]:
        """The candidates that a sub-runner trains, one after the other.

        If there are more sub-runners than candidates, the last sub-runners repeat a candidate, and
        their result is not used. So all sub-runners take part in all collectives.
        """
        served = list(range(sub_runner, num_candidates, self.num_sub_runners))
        return served or [sub_runner % num_candidates]

    def my_candidates(self, num_candidates: int) -> list[int]:
        """The candidates that this process's sub-runner trains."""
        return self.candidates_of(self.sub_runner, num_candidates)

    def exchange_rewards(self, mine: Mapping[int, float], num_candidates: int) -> Tensor:
        """The rewards (B,) of all candidates, float64 on the CPU; NaN for one that diverged.

        Args:
            mine: Candidate -> reward, of the candidates that this sub-runner trained. A reward that
                is not finite means that the candidate diverged.
            num_candidates: B.
        """
        # A candidate has one owner, and zeros elsewhere: the sum is exact on any grid.
        total = torch.zeros(2, num_candidates, dtype=torch.float64)
        for candidate, reward in mine.items():
            if candidate % self.num_sub_runners == self.sub_runner and math.isfinite(reward):
                total[:, candidate] = torch.tensor([reward, 1.0], dtype=torch.float64)
        if self.candidate_group is not None:
            all_reduce(total, group=self.candidate_group)
        return torch.where(total[1] == 1, total[0], torch.nan)

    def agree_on(self, number: int) -> int:
        """Sub-runner 0's value of a number in [0, 2^53), in every sub-runner."""
        if self.num_sub_runners == 1:
            return number
        value = torch.tensor([number], dtype=torch.int64, device=self.wire_device())
        source = self.processes[0][self.replica].rank
        dist.broadcast(value, src=source, group=self.candidate_group)
        return int(value.item())

    def wire_device(self) -> torch.device:
        """Where a tensor must lie to be sent to the other sub-runners."""
        return wire_device(self.candidate_group)


def population_of(runner: Runner) -> Population:
    """The population that a runner's processes form; on a plain Runner one sub-runner of all."""
    if not hasattr(runner, 'population'):
        runner.population = Population.of_world()
    return runner.population


def _everybody(store: dist.Store, rank: int, size: int) -> list[Process]:
    """Where each process of the job runs. They exchange it in the store, before groups exist."""
    store = dist.PrefixStore('amlfs_processes', store)
    store.set(str(rank), Process.this(rank).to_text())
    return [Process.from_text(store.get(str(other)).decode()) for other in range(size)]


def everyone_agrees(condition: bool) -> bool:
    """Whether the condition holds on every replica of this sub-runner (of this process's world)."""
    flag = torch.tensor([int(condition)])
    all_reduce(flag, op='min')
    return bool(flag.item())
