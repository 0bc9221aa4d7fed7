"""The (candidate x replica) grid: which processes form a sub-runner."""

from __future__ import annotations

import os
import socket
from collections import Counter
from typing import NamedTuple

from amlfs_mm.utils.devices import this_device


class Process(NamedTuple):
    """Where a process of the job runs.

    Attributes:
        rank: In the whole job.
        node: Its node's name; two launchers on one machine count as two nodes.
        device: ``'cpu'``, or its accelerator with the index, such as ``'cuda:0'``.
    """

    rank: int
    node: str
    device: str

    @classmethod
    def this(cls, rank: int = 0) -> Process:
        """The process that calls, after it has chosen its device."""
        launcher = os.environ.get('GROUP_RANK', os.environ.get('SLURM_NODEID', '0'))
        node = f'{socket.gethostname()}/{launcher}'
        return cls(rank, node, str(this_device()))

    def to_text(self) -> str:
        """One line, for the job's store."""
        return ' '.join(map(str, self))

    @classmethod
    def from_text(cls, text: str) -> Process:
        """What :meth:`to_text` wrote."""
        rank, node, device = text.split(' ')
        return cls(int(rank), node, device)


def lay_out(processes: list[Process], replicas: int | str) -> list[list[Process]]:
    """The sub-runners: rows of ``replicas`` processes, each on one node where that is possible.

    Rank 0 is the first process of row 0. The processes of a node keep the order of their ranks.

    Args:
        processes: All of the job.
        replicas: g, the processes of a row, or ``'all'`` for one row of all processes.

    Raises:
        ValueError: g does not divide the number of processes; the processes of a node cannot be
            divided into sub-runners though g fits into a node; replicas would share a GPU.
    """
    world = len(processes)
    if replicas == 'all':
        replicas = world
    if not isinstance(replicas, int) or replicas < 1 or world % replicas:
        divisors = [n for n in range(1, world + 1) if world % n == 0]
        raise ValueError(
            f'loss_search.replicas_per_candidate={replicas!r} does not divide the job into equal '
            f"sub-runners: {world} process(es) allow one of {divisors} or 'all'"
        )
    first_rank: dict[str, int] = {}  # of each node
    for process in sorted(processes):
        first_rank.setdefault(process.node, process.rank)
    ordered = sorted(processes, key=lambda process: (first_rank[process.node], process.rank))
    on_node = Counter(process.node for process in processes)
    odd = [f'{count} on {node}' for node, count in on_node.items() if count % replicas]
    if odd and replicas <= min(on_node.values()):
        raise ValueError(
            f'loss_search.replicas_per_candidate={replicas}: a candidate would be spread over two '
            f'nodes, with {", ".join(odd)}. Start a multiple of {replicas} processes on every node'
        )
    rows = [ordered[start : start + replicas] for start in range(0, world, replicas)]
    for row in rows:
        places = Counter((p.node, p.device) for p in row if p.device != 'cpu')
        for (node, device), count in places.items():
            if count > 1:
                raise ValueError(
                    f'{count} replicas of one candidate would share {device} of {node}: start at '
                    'most one process a GPU, or lower loss_search.replicas_per_candidate'
                )
    return rows
