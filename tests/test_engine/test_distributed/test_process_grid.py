"""Which processes form a sub-runner, on one node and several."""

import pytest

from amlfs_mm.engine.distributed.process_grid import Process, lay_out


def job(*nodes: str, gpus: int = 0) -> list[Process]:
    """A process a letter: the node of each rank; processes of a node take its GPUs in turn."""
    seen: dict[str, int] = {}
    processes = []
    for rank, node in enumerate(''.join(nodes)):
        local = seen[node] = seen.get(node, -1) + 1
        processes.append(Process(rank, node, f'cuda:{local % gpus}' if gpus else 'cpu'))
    return processes


def ranks(rows: list[list[Process]]) -> list[list[int]]:
    return [[process.rank for process in row] for row in rows]


@pytest.mark.parametrize(
    ('nodes', 'replicas', 'expected'),
    [
        ('aaaa', 1, [[0], [1], [2], [3]]),
        ('aaaa', 2, [[0, 1], [2, 3]]),
        ('aaaa', 'all', [[0, 1, 2, 3]]),
        ('aabb', 2, [[0, 1], [2, 3]]),
        ('abab', 2, [[0, 2], [1, 3]]),  # dealt out cyclically, as Slurm may
        ('abbaab', 3, [[0, 3, 4], [1, 2, 5]]),
        ('aabbcc', 6, [[0, 1, 2, 3, 4, 5]]),  # larger than a node: it has to span them
        ('aabbccdd', 4, [[0, 1, 2, 3], [4, 5, 6, 7]]),
    ],
)
def test_replicas_share_a_node(nodes: str, replicas: int | str, expected: list):
    assert ranks(lay_out(job(nodes), replicas)) == expected


def test_a_node_that_cannot_be_divided():
    with pytest.raises(ValueError, match=r'two nodes, with 3 on a, 3 on b\. Start a multiple of 2'):
        lay_out(job('aaabbb'), 2)


def test_replicas_must_divide_the_job():
    for replicas in (3, 0, -1, 'two', 1.5):
        with pytest.raises(ValueError, match=r"allow one of \[1, 2, 4\] or 'all'"):
            lay_out(job('aaaa'), replicas)


def test_more_sub_runners_than_gpus():
    """8 processes on 4 GPUs: two sub-runners a GPU pair, no candidate on one GPU twice."""
    rows = lay_out(job('aaaaaaaa', gpus=4), 2)
    devices = [[process.device for process in row] for row in rows]
    assert devices == [['cuda:0', 'cuda:1'], ['cuda:2', 'cuda:3']] * 2


def test_replicas_may_not_share_a_gpu():
    with pytest.raises(ValueError, match='2 replicas of one candidate would share cuda:0 of a'):
        lay_out(job('aaaa', gpus=2), 4)


def test_a_process_travels_as_text():
    process = Process(3, 'node-7.cluster/0', 'cuda:1')
    assert Process.from_text(process.to_text()) == process
