"""The paper's job of 64 processes, laid out in each of its processes; nobody talks.

torch's fake process group says yes to everything. So each rank's own code makes its groups here,
without 63 others.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import mmengine.device.utils as mmengine_device
import pytest
import torch
import torch.distributed as dist
from torch.testing._internal.distributed import fake_pg  # noqa: F401  (registers the backend)

from amlfs_mm.engine import Population
from amlfs_mm.engine.distributed.process_grid import Process
from amlfs_mm.utils.devices import choose_gpu, job_backend, this_device

# Rows: the nodes. Columns: the processes of a node, in the order of their ranks. Entries: the
# candidate of B = 32, a letter for the replica, and the GPU of the node's eight.
EIGHT_NODES_OF_8_GPUS = """
     0a:0  0b:1  1a:2  1b:3  2a:4  2b:5  3a:6  3b:7
     4a:0  4b:1  5a:2  5b:3  6a:4  6b:5  7a:6  7b:7
     8a:0  8b:1  9a:2  9b:3 10a:4 10b:5 11a:6 11b:7
    12a:0 12b:1 13a:2 13b:3 14a:4 14b:5 15a:6 15b:7
    16a:0 16b:1 17a:2 17b:3 18a:4 18b:5 19a:6 19b:7
    20a:0 20b:1 21a:2 21b:3 22a:4 22b:5 23a:6 23b:7
    24a:0 24b:1 25a:2 25b:3 26a:4 26b:5 27a:6 27b:7
    28a:0 28b:1 29a:2 29b:3 30a:4 30b:5 31a:6 31b:7
"""
# The same job on one node: eight processes share a GPU, but never two replicas of one candidate.
ONE_NODE_OF_8_GPUS = ' '.join(EIGHT_NODES_OF_8_GPUS.split())
# One replica each: 64 sub-runners for 32 candidates, so that the last 32 repeat one, unused.
EIGHT_NODES_WITHOUT_REPLICAS = """
     0a:0  1a:1  2a:2  3a:3  4a:4  5a:5  6a:6  7a:7
     8a:0  9a:1 10a:2 11a:3 12a:4 13a:5 14a:6 15a:7
    16a:0 17a:1 18a:2 19a:3 20a:4 21a:5 22a:6 23a:7
    24a:0 25a:1 26a:2 27a:3 28a:4 29a:5 30a:6 31a:7
     0a:0  1a:1  2a:2  3a:3  4a:4  5a:5  6a:6  7a:7
     8a:0  9a:1 10a:2 11a:3 12a:4 13a:5 14a:6 15a:7
    16a:0 17a:1 18a:2 19a:3 20a:4 21a:5 22a:6 23a:7
    24a:0 25a:1 26a:2 27a:3 28a:4 29a:5 30a:6 31a:7
"""


class Entry(NamedTuple):
    """One process in a table."""

    candidate: int
    replica: str
    gpu: int

    @classmethod
    def read(cls, text: str) -> Entry:
        who, gpu = text.split(':')
        return cls(int(who[:-1]), who[-1], int(gpu))


def read_table(text: str) -> list[list[Entry]]:
    return [[Entry.read(entry) for entry in line.split()] for line in text.strip().splitlines()]


def members(table: list[list[Entry]], wanted: Callable[[Entry], bool]) -> list[int]:
    """The ranks whose entry is wanted."""
    entries = [entry for row in table for entry in row]
    return [rank for rank, entry in enumerate(entries) if wanted(entry)]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[dist.ProcessGroup, str]:
    """Eight GPUs that torch believes in, and the backend that each group is made with."""
    chosen, backends = [], {}
    new_group = dist.new_group

    def silent_group(ranks: list[int], timeout: timedelta, backend: str, **options):
        group = new_group(ranks, timeout, 'fake', **options)
        backends[group] = backend
        return group

    monkeypatch.setattr(mmengine_device, 'DEVICE', 'cuda')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 8)
    monkeypatch.setattr(torch.cuda, 'set_device', chosen.append)
    monkeypatch.setattr(torch.cuda, 'current_device', lambda: chosen[-1])
    monkeypatch.setattr(dist, 'new_group', silent_group)  # others would wait for all processes
    monkeypatch.setattr(dist, 'get_backend', lambda group=None: backends.get(group, 'nccl'))
    return backends


@pytest.mark.parametrize(
    ('text', 'replicas', 'between_sub_runners'),
    [
        (EIGHT_NODES_OF_8_GPUS, 2, 'nccl'),
        (ONE_NODE_OF_8_GPUS, 2, 'gloo'),  # NCCL wants a GPU for each process
        (EIGHT_NODES_WITHOUT_REPLICAS, 1, 'nccl'),
    ],
    ids=['8 nodes', '1 node', '8 nodes, 1 replica'],
)
def test_64_processes(
    monkeypatch: pytest.MonkeyPatch, asked: dict, text: str, replicas: int, between_sub_runners: str
) -> None:
    table = read_table(text)
    places = [(node, local) for node, row in enumerate(table) for local in range(len(row))]
    everybody = [
        Process(rank, f'{socket.gethostname()}/{node}', f'cuda:{table[node][local].gpu}')
        for rank, (node, local) in enumerate(places)
    ]
    for rank, (node, local) in enumerate(places):
        monkeypatch.setenv('GROUP_RANK', str(node))
        choose_gpu(local)
        assert job_backend('nccl') == 'nccl'
        dist.init_process_group('fake', rank=rank, world_size=64, store=dist.HashStore())
        store = dist.distributed_c10d._get_default_store()
        notes = dist.PrefixStore('amlfs_processes', store)
        for process in everybody:
            if process.rank != rank:  # its own it writes itself
                notes.set(str(process.rank), process.to_text())
        try:
            population = Population.split_world(replicas)
            check(population, rank, table, everybody)
            assert population.hands_over_by == between_sub_runners
            assert asked[dist.group.WORLD] == 'nccl'
            assert asked.get(population.replica_group, 'gloo') == 'gloo'
        finally:
            dist.destroy_process_group()


def check(population: Population, rank: int, table: list, everybody: list[Process]) -> None:
    """One rank's part in the job is that of the table."""
    candidate, letter, gpu = [entry for row in table for entry in row][rank]
    replicas = population.replicas
    assert str(this_device()) == f'cuda:{gpu}'
    assert population.my_candidates(32) == [candidate]
    assert population.replica == 'ab'.index(letter)
    assert population.processes[population.sub_runner][population.replica] == everybody[rank]
    assert population.is_main == (rank == 0)
    if replicas == 2:
        partners = members(table, lambda entry: entry.candidate == candidate)
        assert dist.get_process_group_ranks(population.replica_group) == partners
        # They train one model: on one node, on two GPUs.
        (one, other) = (everybody[partner] for partner in partners)
        assert one.node == other.node
        assert one.device != other.device
    else:
        partners = [rank]
        assert population.replica_group is None
    counterparts = members(table, lambda entry: entry.replica == letter)
    assert dist.get_process_group_ranks(population.candidate_group) == counterparts
    # What mmengine takes for the whole world.
    assert dist.get_process_group_ranks(dist.group.WORLD) == partners
    assert (dist.get_world_size(), dist.get_rank()) == (replicas, population.replica)
