"""The grid of processes, in real gloo processes."""

import os
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from helpers.runs import free_port
from mmengine.dist import all_reduce, get_dist_info, is_main_process

from amlfs_mm.engine import Population, TrainingState
from amlfs_mm.engine.distributed.population import everyone_agrees
from amlfs_mm.engine.state.broadcast import broadcast_state


def in_processes(world: int, function, *arguments) -> None:
    """Call function(rank, *arguments) in `world` processes joined over gloo."""
    mp.spawn(_join, (world, free_port(), function, arguments), nprocs=world)


def _join(rank: int, world: int, port: int, function, arguments: tuple) -> None:
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    dist.init_process_group('gloo', rank=rank, world_size=world)
    function(rank, *arguments)
    dist.barrier()
    dist.destroy_process_group()


def state_of(rank: int) -> TrainingState:
    """A state of several dtypes whose values tell the rank; no two ranks have one of equal size."""
    tensors = {
        ('cpu', torch.float32): torch.full((5 + rank,), rank + 0.1),
        ('cpu', torch.bfloat16): torch.full((3,), rank, dtype=torch.bfloat16),
        ('cpu', torch.int64): torch.full((2,), 2**40 + rank),
        ('cpu', torch.bool): torch.tensor([rank % 2 == 0, True]),
        ('cpu', torch.float64): torch.empty(0, dtype=torch.float64),
    }
    return TrainingState(dict(lr=rank, names=['a']), tensors)


def check_grid(rank: int) -> None:
    population = Population.split_world(replicas=2)
    assert (population.num_sub_runners, population.replicas) == (2, 2)
    assert (population.sub_runner, population.replica) == divmod(rank, 2)
    assert population.is_main == (rank == 0)

    # MMEngine's world is the sub-runner now.
    assert get_dist_info() == (rank % 2, 2)
    assert is_main_process() == (rank % 2 == 0)
    mine = torch.tensor([10.0**rank])
    all_reduce(mine)
    assert mine.item() == (11 if rank < 2 else 1100)

    assert everyone_agrees(True)
    assert everyone_agrees(rank != 3) == (rank < 2)

    # Replica r hands over to replica r, whatever the sizes that the others had.
    winner = state_of(2 + rank % 2)
    own = state_of(rank) if rank >= 2 else None
    received = broadcast_state(population, own, source=1)
    assert received.tree == winner.tree
    assert received.flat.keys() == winner.flat.keys()
    for key, value in winner.flat.items():
        assert torch.equal(received.flat[key], value)

    # Rewards: bit for bit, lost ones NaN, candidate 4 belongs to sub-runner 0.
    sub_runner = rank // 2
    values = [0.1, 1 / 3, float('nan'), float('inf'), -2e-308]
    mine = {i: values[i] for i in population.my_candidates(5)}
    assert list(mine) == ([0, 2, 4] if sub_runner == 0 else [1, 3])
    rewards = population.exchange_rewards(mine, 5)
    assert rewards.dtype == torch.float64
    assert rewards[[0, 1, 4]].tolist() == [0.1, 1 / 3, -2e-308]
    assert rewards[[2, 3]].isnan().all()

    assert population.agree_on(1234567890123 + sub_runner) == 1234567890123


def test_a_grid_of_two_by_two():
    in_processes(4, check_grid)


def check_refusal(rank: int) -> None:
    for replicas in (3, 0, 'two'):
        with pytest.raises(ValueError, match=r'allow one of \[1, 2\]'):
            Population.split_world(replicas)


def test_replicas_must_divide_the_processes():
    in_processes(2, check_refusal)


@pytest.mark.parametrize(('groups', 'candidates'), [(1, 8), (2, 8), (3, 8), (8, 8), (5, 32)])
def test_every_candidate_has_one_owner(groups: int, candidates: int):
    population = Population()
    population.num_sub_runners = groups
    dealt = [population.candidates_of(k, candidates) for k in range(groups)]
    assert sorted(c for part in dealt for c in part) == list(range(candidates))
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1
    assert all(part == sorted(part) for part in dealt)


def test_without_a_process_group(tmp_path: Path):
    population = Population.split_world('all')
    assert population.is_main
    assert population.my_candidates(3) == [0, 1, 2]
    state = state_of(1)
    assert broadcast_state(population, state, 0) is state
