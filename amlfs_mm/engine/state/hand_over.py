"""How the winner's training state reaches the other sub-runners."""

from __future__ import annotations

from mmengine.runner import Runner

from ..distributed.population import Population
from .broadcast import broadcast_state
from .search_round import SearchRound


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
