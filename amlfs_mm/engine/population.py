"""Which process trains which candidate, and what the sub-runners tell each other."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.distributed as dist
from mmengine.dist import all_reduce
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh

from .training_state import TrainingState


class Population:
    """G sub-runners of g replicas each: a (candidate x replica) grid of processes.

    A sub-runner is the g processes that together train one candidate at a time. Without a process
    group, or on a plain MMEngine Runner, there is one.

    Attributes:
        num_sub_runners: G.
        sub_runner: The sub-runner that this process belongs to, in [0, G).
        replicas: g.
        replica: This process's place in its sub-runner, in [0, g).
    """

    def __init__(self) -> None:
        self.num_sub_runners = 1
        self.sub_runner = 0
        self.replicas = dist.get_world_size() if dist.is_initialized() else 1
        self.replica = dist.get_rank() if dist.is_initialized() else 0
        self._group = None  # this replica's counterparts in the other sub-runners

    @classmethod
    def split_world(cls, replicas: int | str = 1) -> Population:
        """Lay the job's processes out as a grid and make each sub-runner a world of its own.

        From here on ``torch.distributed``'s default group is the sub-runner, so that every stock
        part (samplers, DDP, metrics, ``master_only``) sees its own candidate only.

        Args:
            replicas: g, or ``'all'`` for one sub-runner of all processes.

        Raises:
            ValueError: g does not divide the number of processes.
        """
        world = dist.get_world_size() if dist.is_initialized() else 1
        if replicas == 'all':
            replicas = world
        if not isinstance(replicas, int) or replicas < 1 or world % replicas:
            divisors = [n for n in range(1, world + 1) if world % n == 0]
            raise ValueError(
                f'loss_search.replicas_per_candidate={replicas!r} does not divide the job into '
                f"equal sub-runners: {world} process(es) allow one of {divisors} or 'all'"
            )
        population = cls()
        if not dist.is_initialized():
            return population
        device = 'cuda' if dist.get_backend() == 'nccl' else 'cpu'
        mesh = init_device_mesh(
            device, (world // replicas, replicas), mesh_dim_names=('candidate', 'replica')
        )
        population._group = mesh.get_group('candidate')
        population.num_sub_runners, population.replicas = mesh.shape
        population.sub_runner, population.replica = mesh.get_coordinate()
        dist.group.WORLD = mesh.get_group('replica')
        return population

    @property
    def is_main(self) -> bool:
        """Whether this process writes the search's files and prints."""
        return self.sub_runner == 0 and self.replica == 0

    def candidates_of(self, sub_runner: int, num_candidates: int) -> list[int]:
        """The candidates that a sub-runner trains, one after the other.

        With more sub-runners than candidates the last ones repeat a candidate, so that all stay in
        step; their result is not used.
        """
        served = list(range(sub_runner, num_candidates, self.num_sub_runners))
        return served or [sub_runner % num_candidates]

    def my_candidates(self, num_candidates: int) -> list[int]:
        """The candidates that this process's sub-runner trains."""
        return self.candidates_of(self.sub_runner, num_candidates)

    def exchange_rewards(self, mine: Mapping[int, float], num_candidates: int) -> Tensor:
        """Everybody's rewards (B,) float64 on the CPU; NaN for a candidate that diverged.

        Args:
            mine: Candidate -> reward of what this sub-runner trained; not finite if it diverged.
            num_candidates: B.
        """
        # One owner a candidate and zeros elsewhere: the sum is exact, whatever the grid.
        total = torch.zeros(2, num_candidates, dtype=torch.float64)
        for candidate, reward in mine.items():
            if candidate % self.num_sub_runners == self.sub_runner and math.isfinite(reward):
                total[:, candidate] = torch.tensor([reward, 1.0], dtype=torch.float64)
        if self._group is not None:
            all_reduce(total, group=self._group)
        return torch.where(total[1] == 1, total[0], torch.nan)

    def hand_over(self, state: TrainingState | None, winner: int) -> TrainingState:
        """Give everybody the state that sub-runner ``winner`` holds.

        Each replica receives its counterpart's: batch statistics differ between replicas. The
        others may pass None. Tensors travel as the flat buffers of the state.
        """
        if self.num_sub_runners == 1:
            return state
        sending = self.sub_runner == winner
        sizes = {key: len(flat) for key, flat in state.flat.items()} if sending else None
        header = [(state.tree, sizes) if sending else None]
        dist.broadcast_object_list(
            header, group=self._group, group_src=winner, device=self._wire_device()
        )
        tree, sizes = header[0]
        if not sending:
            state = TrainingState(tree, _allocate(sizes))
        for flat in state.flat.values():
            # As bytes: no backend then needs to know the dtype.
            on_wire = flat.view(torch.uint8).to(self._wire_device())
            dist.broadcast(on_wire, group=self._group, group_src=winner)
            if not sending and on_wire.data_ptr() != flat.data_ptr():
                flat.view(torch.uint8).copy_(on_wire)
        return state

    def agree_on(self, number: int) -> int:
        """Sub-runner 0's value of a number in [0, 2^53), in every sub-runner."""
        if self.num_sub_runners == 1:
            return number
        value = torch.tensor([number], dtype=torch.int64, device=self._wire_device())
        dist.broadcast(value, group=self._group, group_src=0)
        return int(value.item())

    def _wire_device(self) -> torch.device:
        on_gpu = dist.get_backend(self._group) == 'nccl'
        return torch.device('cuda', torch.cuda.current_device()) if on_gpu else torch.device('cpu')


def _allocate(sizes: dict) -> dict:
    return {
        (device, dtype): torch.empty(
            size, dtype=dtype, device=torch.cuda.current_device() if device == 'cuda' else device
        )
        for (device, dtype), size in sizes.items()
    }


def everyone_agrees(condition: bool) -> bool:
    """Whether the condition holds on every replica of this sub-runner (of this process's world)."""
    flag = torch.tensor([int(condition)])
    all_reduce(flag, op='min')
    return bool(flag.item())
