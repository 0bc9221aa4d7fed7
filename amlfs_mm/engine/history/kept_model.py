"""The model that a user keeps: the better one of the search's and the control's.

It is chosen by the reward on D_v. ``kept_model.json`` has the choice, both rewards, and their
paired difference with its interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from mmengine.runner import Runner
from torch import Tensor

from amlfs_mm.utils.text_files import write_json

from ..state.control import ControlLineage, save_model
from ..whole_batches import evaluate_whole_batches
from .lineage import epoch_of_model, record_of_model
from .log import digits_of
from .paired_difference import PairedDifference, paired_difference, sample_scores
from .search_history import SearchHistory

CONTROL_FILE = 'control.pth'
KEPT_FILE = 'kept_model.pth'
CHOICE_FILE = 'kept_model.json'


def keep_better_model(
    runner: Runner,
    history: SearchHistory,
    reward: str,
    control: ControlLineage,
    evaluate: Callable[[], Any],
) -> None:
    """Write the last models of search and control, and the better one as ``kept_model.pth``.

    The models are compared by their rewards on D_v in the last rounds that trained them: a lost
    round leaves a model as it was, and a search may have gone back. Of equals the control is kept,
    since the winner's reward is the best of several.

    Called by all replicas of sub-runner 0.

    Args:
        runner: At the end of the search.
        history: Of the search.
        reward: The reward's key.
        control: The control.
        evaluate: Evaluates the runner's present model on D_v.
    """
    if control.state is None:  # no round of the search was trained
        return
    searched = reward_of_search(history.records)
    plain = reward_of_control(history.records)
    difference = compare(runner, reward, control, evaluate)
    directory = str(history.directory)
    control.save(runner, directory, CONTROL_FILE)
    kept = 'control' if plain >= searched else 'search'
    if kept == 'control':
        control.save(runner, directory, KEPT_FILE)
    else:
        save_model(runner, directory, KEPT_FILE)
    if history.writes:
        choice = dict(
            kept=kept,
            reward=reward,
            search=_number(searched),
            search_epoch=epoch_of_model(history.records),
            control=_number(plain),
            difference=_number(searched - plain),
            interval=None if difference is None else [difference.low, difference.high],
            num_samples=None if difference is None else difference.num_samples,
        )
        write_json(history.directory / CHOICE_FILE, choice)
        scalars = dict(difference=searched - plain)
        if difference is not None:
            scalars |= dict(difference_low=difference.low, difference_high=difference.high)
        named = {f'search/control_{n}': v for n, v in scalars.items() if math.isfinite(v)}
        runner.visualizer.add_scalars(named, step=runner.epoch)
    digits = digits_of(searched)
    runner.logger.info(
        f'Kept: the model of the {kept}, as {KEPT_FILE}. Last {reward} on D_v: search '
        f'{searched:.{digits}f}, control {plain:.{digits}f} ({CONTROL_FILE}), difference '
        f'{searched - plain:+.{digits}f}, {describe(difference, digits)}'
    )


def compare(
    runner: Runner, reward: str, control: ControlLineage, evaluate: Callable[[], Any]
) -> PairedDifference | None:
    """The reward of the runner's present model minus the control's, sample by sample.

    None if the reward is no mean over samples, or has fewer than 2; and in processes other than the
    main one.
    """
    loop = runner.val_loop
    loop.evaluator = evaluate_whole_batches(loop.evaluator)  # on a plain Runner it is mmengine's

    def scores() -> Tensor | None:
        evaluate()
        return sample_scores(loop.evaluator, reward)

    of_search = scores()
    with control.installed(runner):
        of_control = scores()
    if of_search is None or of_control is None or len(of_search) < 2:
        return None
    return paired_difference(of_search, of_control)


def describe(difference: PairedDifference | None, digits: int) -> str:
    """The interval of a difference as text, with so many decimals."""
    if difference is None:
        return 'without an interval: this metric is no mean over samples'
    return (
        f'95 % interval [{difference.low:+.{digits}f}, {difference.high:+.{digits}f}] paired over '
        f'{difference.num_samples} samples'
    )


def reward_of_search(records: list[dict]) -> float:
    """The reward of the search's last model; minus infinity if no round had a winner."""
    record = record_of_model(records)
    return -math.inf if record is None else record['reward'][record['best']]


def reward_of_control(records: list[dict]) -> float:
    """The reward of the control's last model; minus infinity if it diverged in all rounds."""
    return _last(
        record['control']['reward']
        for record in records
        if 'control' in record and record['control']['reward'] is not None
    )


def _last(rewards: Iterable[float]) -> float:
    return [-math.inf, *rewards][-1]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
