"""What must hold before a search, on top of what holds for every run."""

from __future__ import annotations

import warnings
from typing import Any

from mmengine.dist import all_gather_object, get_world_size
from mmengine.runner import EpochBasedTrainLoop, Runner

from amlfs_mm.registry import TASK_UTILS
from amlfs_mm.search import IgnoreTies
from amlfs_mm.utils.config_types import resolves_to
from amlfs_mm.utils.model_wrappers import unwrapped

from ..distributed.sharded_weights import sharded_layers
from ..options import SearchOptions
from ..search_schedule import SearchSchedule
from ..searched_heads import find_heads
from ..state.optimizers import schedulers_of
from .annotations import PIXELS, distinct, image_path, pixel_key, sampled_annotations
from .batches import check_data_order
from .checkpoint_hooks import check_checkpoints
from .hooks import check_switched_rounds
from .run import check_run

PATHS_COMPARED = 50_000
"""Images of a data set, at most, whose paths are compared."""


def check_search(runner: Runner, schedule: SearchSchedule) -> None:
    """Everything that a search needs is there.

    Raises:
        ValueError: Something does not hold; the message names it and the cure.

    When:
        A search starts.
    """
    check_validation(runner)
    check_hard_labels(runner.model)
    find_heads(runner.model)
    check_run(runner)
    check_seeds(runner)
    check_data_order(runner.train_dataloader)
    check_held_out(runner.train_dataloader.dataset, runner.val_dataloader.dataset)
    schedule.check()
    check_switched_rounds(runner, schedule)
    check_checkpoints(runner, schedule.search_every)


def check_kept_states(runner: Runner, options: SearchOptions) -> None:
    """A search with a control, or one that goes back, can keep the states that it needs.

    Raises:
        ValueError: The class weights are spread over several replicas, or a schedule follows the
            validation, which is the winner's.

    When:
        A search with ``control=True`` or with ``go_back`` starts.
    """
    if not options.control and options.go_back_rule is None:
        return
    asked = 'control=True' if options.control else f'go_back={options.go_back}'
    if sharded_layers(runner.model):
        raise ValueError(
            f'{asked} cannot save a second model whose class weights are spread over several '
            'replicas: set sharded=False in the head, or replicas_per_candidate=1'
        )
    plateau = [s for s in schedulers_of(runner) if getattr(s, 'need_val_args', False)]
    if plateau:
        raise ValueError(
            f'{asked}: {type(plateau[0]).__name__} follows the validation of the winner, which is '
            'not that of one training: use a schedule by epoch or by iteration'
        )


def check_epochs(runner: Runner) -> None:
    """The training loop is MMEngine's epoch-based one: a loss lasts for an epoch.

    Raises:
        ValueError: The loop counts iterations, or is one of another package.

    When:
        A search or a replay starts.
    """
    if type(runner.train_loop) is not EpochBasedTrainLoop:
        raise ValueError(
            f'a loss search needs EpochBasedTrainLoop, the epoch-based loop of MMEngine, got '
            f'{type(runner.train_loop).__name__}: set train_cfg=dict(by_epoch=True, max_epochs=...)'
        )


def check_validation(runner: Runner) -> None:
    """There are validation data (D_v), on which candidates are scored.

    Raises:
        ValueError: The config has no validation data.

    When:
        A search starts.
    """
    if runner.val_loop is None:
        raise ValueError(
            'a loss search scores candidates on held-out data (D_v): the config needs '
            'val_dataloader, val_cfg and val_evaluator'
        )


def check_seeds(runner: Runner) -> None:
    """All processes have one seed, from which they draw the same losses.

    Raises:
        ValueError: ``randomness`` asks for a seed for each process.

    When:
        A search or a replay starts.
    """
    randomness = runner.cfg.get('randomness') or {}
    seeds = all_gather_object(runner.seed) if get_world_size() > 1 else [runner.seed]
    if randomness.get('diff_rank_seed') or len(set(seeds)) > 1:
        raise ValueError(
            'randomness.diff_rank_seed=True gives each process a seed of its own, but all replicas '
            'of a candidate need one theta: leave it out. Replicas augment their images '
            'differently in any case'
        )


def check_hard_labels(model: Any) -> None:
    """The model trains with one class a sample, which the target's cosine needs.

    Raises:
        ValueError: The model mixes labels (Mixup, CutMix, any batch augmentation of mmpretrain).

    When:
        A search or a replay starts.
    """
    augments = getattr(getattr(unwrapped(model), 'data_preprocessor', None), 'batch_augments', None)
    if augments is not None:
        names = [type(augment).__name__ for augment in getattr(augments, 'augments', [augments])]
        raise ValueError(
            f'a loss search needs one class a sample, but the model mixes labels with {names}: '
            'remove model.train_cfg.augments'
        )


def check_held_out(trained: Any, validation: Any) -> None:
    """No image of the validation data (D_v) is trained on.

    Files are compared by path, also in data sets made of others. Of more than 50,000 images a
    sample is compared. Images that are no files are compared by their pixels; as data sets may hold
    some images twice, only more than half of D_v count. Other data sets cannot be told apart.

    Raises:
        ValueError: An image of D_v is also trained on: rewards would be training scores.

    When:
        A search starts.
    """
    held_out = _images(validation)
    shared = sorted(held_out & _images(trained)) if held_out else []
    files = [name for name in shared if not name.startswith(PIXELS)]
    if not files and len(shared) <= len(held_out) / 2:
        return
    example = f'such as {files[0]}' if files else 'which are no files'
    raise ValueError(
        f'{len(shared)} of the {len(held_out)} images of the validation data (D_v) are also '
        f'trained on, {example}: rewards would be training scores. Hold them out of '
        'train_dataloader.dataset; where both split one source, give both the same split (for '
        'amlfs_mm.ReIDDataset: held_out and split_seed)'
    )


def _images(dataset: Any) -> set[str]:
    """The paths of a data set's images; of those without, a hash of the pixels."""
    found = set()
    for _, info in sampled_annotations(distinct(dataset), PATHS_COMPARED):
        key = image_path(info) or pixel_key(info)
        found |= {key} if key else set()
    return found


def check_reward(metrics: dict, options: SearchOptions) -> None:
    """The evaluator produces the reward, and its standard error is known where it is needed.

    Raises:
        ValueError: The evaluator does not produce the reward; the message names the metrics that it
            does produce. Or going back, or ``IgnoreTies``, counts in binomial standard errors, and
            the reward is no percentage. It is a warning where it may be a fraction, from 0 to 1.

    When:
        The model has been evaluated for the first time, before a search trains.
    """
    reward = options.reward
    if reward not in metrics:
        raise ValueError(
            f'the evaluator does not produce the reward {reward!r}; it produces {sorted(metrics)}. '
            "Set the hook's reward to one of them, or change val_evaluator"
        )
    value = metrics[reward]
    if 1 < value <= 100:
        return
    start = f'the reward {reward!r} is no percentage: it is {value:.4g} at the start'
    if 0 <= value <= 1:  # a fraction, or the percentage of a network that knows nothing yet
        start = f'the reward {reward!r} is {value:.4g} at the start, which may be a fraction'
    rule = options.go_back_rule
    if rule is not None and rule.tolerance > 0 and rule.error == 'binomial':
        _warn_or_raise(
            f'go_back has a tolerance in binomial standard errors of a percentage, but {start}. '
            "Give go_back an error in the reward's unit, such as dict(tolerance=1, error=0.01)",
            value,
        )
    ties = options.reward_filter or {}
    counts = 'type' in ties and resolves_to(ties['type'], TASK_UTILS, IgnoreTies)
    if counts and ties.get('error', 'binomial') == 'binomial':
        _warn_or_raise(
            'IgnoreTies compares rewards with a binomial standard error of a percentage, but '
            f"{start}. Give it an error in the reward's unit, such as "
            "reward_filter=dict(type='amlfs_mm.IgnoreTies', error=0.01)",
            value,
        )


def _warn_or_raise(message: str, reward: float) -> None:
    if not 0 <= reward <= 1:
        raise ValueError(message)
    warnings.warn(f'{message}. If it is a percentage, all is well', stacklevel=3)


SAVED = ('epoch', 'search_space', 'policy', 'records', 'gradients')


def check_resumed(saved: dict | None, search_space: object) -> None:
    """The checkpoint continues a search in this space.

    Raises:
        ValueError: No search wrote the checkpoint, or another version of amlfs_mm did, or the
            search was in another space.

    When:
        A search is resumed.
    """
    if saved is None:
        raise ValueError(
            "the checkpoint to resume has no 'loss_search' state: no search wrote it. To start a "
            'search from its weights give it as load_from, without --resume'
        )
    if missing := [key for key in SAVED if key not in saved]:
        raise ValueError(
            f"the 'loss_search' state of the checkpoint to resume has no {', '.join(missing)}: "
            'another version of amlfs_mm wrote it. Resume with that version, or give the '
            'checkpoint as load_from'
        )
    if saved['search_space'] != repr(search_space):
        raise ValueError(
            f'the checkpoint to resume searched in {saved["search_space"]}, the config in '
            f"{search_space!r}: set the head's num_intervals (or search_space) to the checkpoint's"
        )


def options_to_keep(options: SearchOptions) -> dict[str, Any]:
    """The options that give a record of the search its meaning, as a checkpoint keeps them."""
    kept = dict(
        reward=options.reward,
        hand_over=options.hand_over,
        common_random_numbers=options.common_random_numbers,
    )
    if options.control:  # which trains the loss of mu_0
        mu_0 = options.mu_0
        kept['mu_0'] = str(dict(mu_0) if isinstance(mu_0, dict) else mu_0)
    return kept


def check_resumed_options(saved: dict, options: SearchOptions) -> None:
    """The rounds so far, and those to come, are of one kind.

    Checkpoints from before ``options`` was kept are taken as they are.

    Raises:
        ValueError: Only one of checkpoint and config has ``control`` (or ``go_back``). Or they
            differ in ``reward``, ``hand_over``, ``common_random_numbers``, or ``mu_0`` if there is
            a control.

    When:
        A search is resumed.
    """
    found = dict(control='control' in saved, go_back='best_round' in saved)
    wanted = dict(control=options.control, go_back=options.go_back_rule is not None)
    if found == wanted:
        found |= saved.get('options', {})
        wanted |= options_to_keep(options)
    for name, value in found.items():
        if value != wanted[name]:
            raise ValueError(
                f'the search of the checkpoint to resume has {name}={value}, the config has '
                f"{name}={wanted[name]}: set the hook's {name} to that of the checkpoint"
            )


def check_policy_state(saved: dict, policy: Any) -> None:
    """The checkpoint's policy is of the same kind as the config's.

    Raises:
        ValueError: The policy in the checkpoint has another state.

    When:
        A search is resumed.
    """
    own = set(policy.state_dict())
    if set(saved) != own:
        raise ValueError(
            f'the policy in the checkpoint to resume has the state {sorted(saved)}, '
            f"{type(policy).__name__} has {sorted(own)}: set the hook's policy to the one that "
            'searched'
        )
