"""How the winner's training state reaches the other sub-runners."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from mmengine.runner import Runner

from ..distributed.population import Population
from .search_round import SearchRound
from .training_state import TrainingState


def broadcast_state(
    population: Population,
    state: TrainingState | None,
    source: int,
    into: TrainingState | None = None,
) -> TrainingState:
    """Give every sub-runner the training state that one of them holds.

    Each replica receives the state of its counterpart. The tensors travel as the flat buffers of
    the state; only the few hundred bytes that describe them are pickled.

    Args:
        population: The sub-runners.
        state: What the sub-runner ``source`` sends; the others may pass None.
        source: The sub-runner that sends.
        into: A state that is not needed any more. Its memory is used again where it fits.

    Returns:
        The state of ``source``; in the sub-runner ``source`` the very one that it sent.
    """
    group = population.candidate_group
    sending = source == population.sub_runner
    if group is None:
        assert state is not None  # the only sub-runner is the source
        return state
    rank = population.processes[source][population.replica].rank
    header: list[Any] = [state.describe() if sending and state is not None else None]
    dist.broadcast_object_list(header, src=rank, group=group, device=population.wire_device())
    if not sending or state is None:
        state = TrainingState.allocate(header[0], into)
    for flat in state.flat.values():
        # As bytes: no backend then needs to know the dtype.
        on_wire = flat.view(torch.uint8).to(population.wire_device())
        dist.broadcast(on_wire, src=rank, group=group)
        if not sending and on_wire.data_ptr() != flat.data_ptr():
            flat.view(torch.uint8).copy_(on_wire)
    return state


def take_over_winner(
    runner: Runner, search_round: SearchRound, winner: int | None, population: Population
) -> None:
    """Put every sub-runner into the winner's state; into the start of the round if all diverged.

    The memory of the start is used again for the winner's state in the sub-runners that receive it.
    """
    start, best = search_round.start, search_round.best
    assert start is not None
    search_round.start = search_round.best = None
    if winner is None:
        start.restore(runner)
        return
    source = winner % population.num_sub_runners
    if source != population.sub_runner:
        best = None  # frees its memory before the winner's state arrives
    broadcast_state(population, best, source, into=start).restore(runner)
