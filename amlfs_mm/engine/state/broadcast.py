"""How a training state travels from one sub-runner to all."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist

from ..distributed.population import Population
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
