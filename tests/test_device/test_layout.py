"""The paper's job of 64 processes, laid out in each of its processes; nobody talks.

torch's fake process group says yes to everything. So each rank's own code makes its groups here,
without 63 others.
"""

from __future__ import annotations

import socket

import mmengine.device.utils as mmengine_device
import pytest
import torch
import torch.distributed as dist
from torch.testing._internal.distributed import fake_pg  # noqa: F401  (registers the backend)

from amlfs_mm.engine import Population
from amlfs_mm.engine.distributed.process_grid import Process

# Rows: the nodes. Columns: the processes of a node, in the order of their ranks and of its 8 GPUs.
# Entries: the candidate of B = 32, and a letter for the replica.
EIGHT_NODES_OF_8_GPUS = """
     0a  0b  1a  1b  2a  2b  3a  3b
     4a  4b  5a  5b  6a  6b  7a  7b
     8a  8b  9a  9b 10a 10b 11a 11b
    12a 12b 13a 13b 14a 14b 15a 15b
    16a 16b 17a 17b 18a 18b 19a 19b
    20a 20b 21a 21b 22a 22b 23a 23b
    24a 24b 25a 25b 26a 26b 27a 27b
    28a 28b 29a 29b 30a 30b 31a 31b
"""
# The same job on one node: eight processes share a GPU, but never two replicas of one candidate.
ONE_NODE_OF_8_GPUS = ' '.join(EIGHT_NODES_OF_8_GPUS.split())
# One replica each: 64 sub-runners for 32 candidates, so that the last 32 repeat one, unused.
EIGHT_NODES_WITHOUT_REPLICAS = """
     0a  1a  2a  3a  4a  5a  6a  7a
     8a  9a 10a 11a 12a 13a 14a 15a
    16a 17a 18a 19a 20a 21a 22a 23a
    24a 25a 26a 27a 28a 29a 30a 31a
     0a  1a  2a  3a  4a  5a  6a  7a
     8a  9a 10a 11a 12a 13a 14a 15a
    16a 17a 18a 19a 20a 21a 22a 23a
    24a 25a 26a 27a 28a 29a 30a 31a
"""


def members(table: list[list[tuple[int, str]]], wanted) -> list[int]:
    """The ranks whose entry is wanted."""
    entries = [entry for row in table for entry in row]
    return [rank for rank, entry in enumerate(entries) if wanted(rank, entry)]


@pytest.mark.parametrize(
    ('text', 'replicas'),
    [(EIGHT_NODES_OF_8_GPUS, 2), (ONE_NODE_OF_8_GPUS, 2), (EIGHT_NODES_WITHOUT_REPLICAS, 1)],
    ids=['8 nodes', '1 node', '8 nodes, 1 replica'],
)
def test_64_processes(monkeypatch: pytest.MonkeyPatch, text: str, replicas: int) -> None:
    lines = text.strip().splitlines()
    table = [[(int(e[:-1]), e[-1]) for e in line.split()] for line in lines]
    places = [(node, local) for node, row in enumerate(table) for local in range(len(row))]
    everybody = [
        Process(rank, f'{socket.gethostname()}/{node}', f'cuda:{local % 8}')
        for rank, (node, local) in enumerate(places)
    ]
    new_group = dist.new_group
    monkeypatch.setattr(mmengine_device, 'DEVICE', 'cuda')
    monkeypatch.setattr(  # gloo would wait for the others
        dist, 'new_group', lambda ranks, timeout, _, **kw: new_group(ranks, timeout, 'fake', **kw)
    )
    for rank, (node, local) in enumerate(places):
        monkeypatch.setenv('GROUP_RANK', str(node))
        monkeypatch.setattr(torch.cuda, 'current_device', lambda gpu=local % 8: gpu)
        dist.init_process_group('fake', rank=rank, world_size=64, store=dist.HashStore())
        store = dist.distributed_c10d._get_default_store()
        notes = dist.PrefixStore('amlfs_processes', store)
        for process in everybody:
            notes.set(str(process.rank), process.to_text())
        try:
            check(Population.split_world(replicas), rank, table, everybody)
        finally:
            dist.destroy_process_group()


def check(population: Population, rank: int, table: list, everybody: list[Process]) -> None:
    """One rank's part in the job is that of the table."""
    candidate, letter = [entry for row in table for entry in row][rank]
    replicas = population.replicas
    assert population.my_candidates(32) == [candidate]
    assert population.replica == 'ab'.index(letter)
    assert population.processes[population.sub_runner][population.replica] == everybody[rank]
    assert population.is_main == (rank == 0)
    if replicas == 2:
        partners = members(table, lambda _, entry: entry[0] == candidate)
        assert dist.get_process_group_ranks(population.replica_group) == partners
        # They train one model: on one node, on two GPUs.
        (one, other) = (everybody[partner] for partner in partners)
        assert one.node == other.node
        assert one.device != other.device
    else:
        partners = [rank]
        assert population.replica_group is None
    counterparts = members(table, lambda _, entry: entry[1] == letter)
    assert dist.get_process_group_ranks(population.candidate_group) == counterparts
    # What mmengine takes for the whole world.
    assert dist.get_process_group_ranks(dist.group.WORLD) == partners
    assert (dist.get_world_size(), dist.get_rank()) == (replicas, population.replica)
