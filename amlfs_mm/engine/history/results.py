"""What a search leaves in the work dir when it ends."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from mmengine.runner import Runner

from amlfs_mm.search import SearchSpace

from ..distributed.population import Population
from ..options import SearchOptions
from ..state.control import ControlLineage, save_model
from .compute import compute_of
from .search_history import SearchHistory, best_file

CONTROL_FILE = 'control.pth'
KEPT_FILE = 'kept_model.pth'


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
        runner.logger.info(
            f'Best {options.reward} {best["reward"][best["best"]]:.2f} on D_v (optimistic: it was '
            f'selected there): {best_file(best["epoch"])}'
        )


def keep_better_model(
    runner: Runner, history: SearchHistory, reward: str, control: ControlLineage
) -> None:
    """Write the last models of search and control, the better one as ``kept_model.pth``.

    Both are compared by their last rewards on D_v. A lost round leaves a model as it was, and so
    its reward. Of equals the control is kept, since the winner's reward is the best of several.

    Called by all replicas of sub-runner 0.
    """
    if control.state is None:  # no round of the search was trained
        return
    searched = _last(r['reward'][r['best']] for r in history.records if r['best'] is not None)
    plain = _last(
        r['control']['reward']
        for r in history.records
        if 'control' in r and r['control']['reward'] is not None
    )
    directory = str(history.directory)
    control.save(runner, directory, CONTROL_FILE)
    keeps_control = plain >= searched
    if keeps_control:
        control.save(runner, directory, KEPT_FILE)
    else:
        save_model(runner, directory, KEPT_FILE)
    runner.logger.info(
        f'Kept: the model of the {"control" if keeps_control else "search"}, as {KEPT_FILE}. Last '
        f'{reward} on D_v: search {searched:.2f}, control {plain:.2f} ({CONTROL_FILE}), difference '
        f'{searched - plain:+.2f}'
    )


def _last(rewards: Iterable[float]) -> float:
    return [-math.inf, *rewards][-1]
