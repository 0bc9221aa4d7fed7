"""What a search leaves in the work dir when it ends."""

from __future__ import annotations

import torch
from mmengine.runner import Runner

from amlfs_mm.search import SearchSpace

from ..distributed.population import Population
from ..options import SearchOptions
from .compute import compute_of
from .log import digits_of
from .search_history import SearchHistory, best_file


def write_results(
    runner: Runner,
    history: SearchHistory,
    options: SearchOptions,
    population: Population,
    space: SearchSpace,
) -> None:
    """Write ``loss_schedule.json`` and the plots, and log where the best model is."""
    history.write_schedule(
        seed=runner.seed,
        search_space=repr(space),
        reward=options.reward,
        hand_over=options.hand_over,
        common_random_numbers=options.common_random_numbers,
        replicas=population.replicas,
        threads=torch.get_num_threads(),
        compute=compute_of(runner, history.candidate_epochs(), population.replicas),
        config=runner.cfg.pretty_text,
    )
    if not population.is_main or not history.records:
        return
    from amlfs_mm.visualization import plot_search  # matplotlib: only when there is a plot

    plots = plot_search(history.records, space, history.directory)
    runner.logger.info('Search done. Plots: ' + ', '.join(path.name for path in plots))
    if best := history.best_record():
        value = best['reward'][best['best']]
        runner.logger.info(
            f'Best {options.reward} {value:.{digits_of(value)}f} on D_v (optimistic: it was '
            f'selected there): {best_file(best["epoch"])}'
        )
