"""What a search saves when it is asked to stop."""

from __future__ import annotations

from mmengine.runner import Runner

from ..distributed.population import Population, everyone_agrees
from ..distributed.stop_signal import EXIT_CODE
from ..state.search_round import SearchRound
from ..state.unfinished_round import save_round
from .search_history import SearchHistory


def save_stopped_search(
    runner: Runner, search_round: SearchRound, history: SearchHistory, population: Population
) -> None:
    """Save what the round has so far, and a checkpoint of its start if there is none yet."""
    runner.logger.info(f'Stopping on request in {population.liveness.position}')
    save_round(search_round, runner, history.unfinished, population)
    first_epoch = search_round.epochs.start
    checkpoint = history.directory / f'epoch_{first_epoch}.pth'
    there = not population.is_main or checkpoint.is_file()
    # All replicas take part: each may hold a part of the class weights.
    if population.sub_runner == 0 and not everyone_agrees(there):
        # The resume starts from the round's start, which need not have been an epoch to save.
        assert search_round.start is not None
        search_round.start.restore(runner)
        meta = dict(epoch=first_epoch, iter=runner.iter)
        runner.save_checkpoint(str(checkpoint.parent), checkpoint.name, meta=meta)
    runner.logger.warning(
        f'Stopped on request. To go on, run the same command with --resume (exit code {EXIT_CODE})'
    )
