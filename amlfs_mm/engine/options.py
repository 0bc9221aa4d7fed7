"""The options of a search, as a config gives them.

They stand in the config's ``loss_search`` or in the hook; what the hook gives wins. Dicts of a
config merge when configs inherit, lists such as ``custom_hooks`` do not: ``loss_search`` lets a
leaf config change one option.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, fields
from typing import Any

from amlfs_mm.search import GoBackRule

DEFAULT_POLICY = dict(type='amlfs_mm.GaussianPolicy', sigma=0.2, lr=0.05)


@dataclass
class RunnerOptions:
    """How the processes of a job share the candidates.

    Attributes:
        replicas_per_candidate: Processes that train one candidate together (paper: 2), or
            ``'all'``: all processes train one model.
        threads_per_process: Torch's threads on the CPU; None leaves torch's own setting. The number
            is part of the search: how a sum is split over threads changes its last bits.

    Raises:
        ValueError: An option has a value that it cannot have.
    """

    replicas_per_candidate: int | str = 1
    threads_per_process: int | None = 1

    def __post_init__(self) -> None:
        threads = self.threads_per_process
        if threads is not None and (not isinstance(threads, int) or threads < 1):
            raise ValueError(
                "loss_search.threads_per_process must be a whole number >= 1, or None for torch's "
                f'own setting, got {threads!r}'
            )


@dataclass
class SearchOptions:
    """How a loss is searched: the options of :class:`LossSearchHook`.

    Attributes:
        num_candidates: B.
        reward: Key of the validation metric to maximise.
        policy: Config of the policy. Without a ``type`` it changes options of the default policy.
        reward_filter: Config of what the policy learns from in place of the rewards, such as
            ``NullReward``; see :mod:`amlfs_mm.search.reward_filters`.
        mu_0: Where the policy starts: a known loss, ``'softmax'`` or
            ``dict(name='am_softmax', m=0.35)``, or a JSON file as in ``AMLFSHead``'s ``theta``.
        hand_over: ``'all'``: the winner's model, buffers, optimizer, scaler, EMA and schedules
            start the next round. ``'model'``: the same, but the optimizer starts empty.
        common_random_numbers: All candidates of a round see the same data order and augmentation.
            Otherwise each has its own, as separate runs in the paper have.
        max_lost_rounds: Stop with an error after so many rounds in a row in which all candidates
            diverged.
        warmup_epochs: Epochs of the plain loss with one candidate, before the search starts.
        search_every: Epochs that a candidate trains before it is scored: a round.
        captured_states: ``'device'``: copies of the training state stay on the GPU if they fit;
            ``'host'``: they lie in pinned host memory.
        control: The last of the B candidates is no sample of the policy. It trains the loss mu_0
            from its own state of the round before, in the first round from the common start. It
            is never the winner, and mu does not learn from it: its models are what a run without a
            search gives. The better one of both models is kept at the end; see
            :mod:`amlfs_mm.engine.state.control`.
        go_back: If the winner of a round is behind the best winner of all rounds by its reward, the
            next round starts from that one's model and optimizer state; schedules, iterations and
            mu go on. A dict sets when: ``patience``, ``tolerance``, ``error``, ``max_returns`` of
            :class:`~amlfs_mm.search.GoBackRule`.
        unreadable: ``'error'``: a training image that cannot be read ends the run. ``'skip'``:
            another image takes its place, with a warning, and is counted.
        batch_cache_gib: Memory of a process, in GiB, for the augmented batches of a round. The next
            candidate of the process takes them from there. They are the same for all candidates
            only under ``common_random_numbers``, which this option needs. 0: keep none.

    Raises:
        ValueError: An option has a value that it cannot have.
    """

    num_candidates: int = 32
    reward: str = 'accuracy/top1'
    policy: dict = field(default_factory=lambda: dict(DEFAULT_POLICY))
    reward_filter: dict | None = None
    mu_0: str | dict = 'softmax'
    hand_over: str = 'all'
    common_random_numbers: bool = False
    max_lost_rounds: int = 3
    warmup_epochs: int = 0
    search_every: int = 1
    captured_states: str = 'device'
    control: bool = False
    go_back: bool | dict = False
    unreadable: str = 'error'
    batch_cache_gib: float = 0

    def __post_init__(self) -> None:
        self._require_whole('num_candidates')
        self._require_whole('max_lost_rounds')
        self._require_one_of('hand_over', 'all', 'model')
        self._require_one_of('captured_states', 'device', 'host')
        self._require_one_of('unreadable', 'error', 'skip')
        if not isinstance(self.control, bool):
            raise ValueError(f'control must be True or False, got {self.control!r}')
        rule = self.go_back_rule  # raises if it has a wrong value
        samples = self.num_candidates - self.control
        if rule is not None and rule.error == 'spread' and samples == 1:
            raise ValueError(
                f"go_back with error='spread' compares with the deviation of a round's candidates, "
                f'but num_candidates={self.num_candidates} with control={self.control} leaves one: '
                f'set num_candidates to at least {2 + self.control}, or go_back=True'
            )
        if self.control and self.num_candidates < 2:
            raise ValueError(
                'control=True takes one of the candidates: num_candidates must be at least 2, got '
                f'{self.num_candidates}'
            )
        if not isinstance(self.batch_cache_gib, (int, float)) or not self.batch_cache_gib >= 0:
            raise ValueError(f'batch_cache_gib must be a number >= 0, got {self.batch_cache_gib!r}')
        if self.batch_cache_gib and not self.common_random_numbers:
            raise ValueError(
                f'batch_cache_gib={self.batch_cache_gib!r} would keep batches that no other '
                'candidate trains on: it needs common_random_numbers=True'
            )
        if not isinstance(self.policy, dict):
            raise ValueError(f'policy must be a config, a dict, got {self.policy!r}')
        if 'type' not in self.policy:
            self.policy = {**DEFAULT_POLICY, **self.policy}
        if not isinstance(self.mu_0, (str, dict)) or (
            isinstance(self.mu_0, dict) and 'name' not in self.mu_0
        ):
            raise ValueError(
                "mu_0 must be a known loss, 'softmax' or dict(name='am_softmax', m=0.35), or a "
                f"JSON file, 'loss.json'; got {self.mu_0!r}"
            )

    @property
    def go_back_rule(self) -> GoBackRule | None:
        """When to go back; None: never."""
        return GoBackRule.read(self.go_back)

    def _require_whole(self, name: str) -> None:
        value = getattr(self, name)
        if not isinstance(value, int) or value < 1:
            raise ValueError(f'{name} must be a whole number >= 1, got {value!r}')

    def _require_one_of(self, name: str, *choices: str) -> None:
        value = getattr(self, name)
        if value not in choices:
            raise ValueError(f'{name} must be {" or ".join(map(repr, choices))}, got {value!r}')


RUNNER_OPTIONS = tuple(option.name for option in fields(RunnerOptions))
SEARCH_OPTIONS = tuple(option.name for option in fields(SearchOptions))
RENAMED = dict(max_lost_epochs='max_lost_rounds')


def read_runner_options(loss_search: dict) -> RunnerOptions:
    """The part of a config's ``loss_search`` that is the runner's.

    Raises:
        ValueError: ``loss_search`` has an option that neither runner nor search knows, or a value
            that an option cannot have.
    """
    unknown = set(loss_search) - {*RUNNER_OPTIONS, *SEARCH_OPTIONS, *RENAMED}
    if unknown:
        raise ValueError(
            f'loss_search has no option {sorted(unknown)}; it has '
            f'{[*RUNNER_OPTIONS, *SEARCH_OPTIONS]}'
        )
    return RunnerOptions(**{key: loss_search[key] for key in RUNNER_OPTIONS if key in loss_search})


def read_search_options(given: dict[str, Any], loss_search: dict | None = None) -> SearchOptions:
    """The options of a search.

    Args:
        given: Those that the hook gives. They win. A policy without a ``type`` changes options of
            the policy of ``loss_search``.
        loss_search: The config's ``loss_search``.

    Raises:
        ValueError: There is no such option, or it cannot have the value.
    """
    shared = {key: v for key, v in (loss_search or {}).items() if key not in RUNNER_OPTIONS}
    options = {**_by_new_names(shared), **_by_new_names(given)}
    own, common = given.get('policy'), shared.get('policy')
    if isinstance(own, dict) and isinstance(common, dict) and _merges('policy', own):
        options['policy'] = {**common, **own}
    unknown = set(options) - set(SEARCH_OPTIONS)
    if unknown:
        raise ValueError(
            f'LossSearchHook has no option {sorted(unknown)}; it has {list(SEARCH_OPTIONS)}'
        )
    return SearchOptions(**options)


def overruled_options(given: dict[str, Any], loss_search: dict | None) -> list[str]:
    """What the config's ``loss_search`` asks for in vain, since the hook gives something else."""
    given, shared = _by_new_names(given), _by_new_names(loss_search or {})
    if _merges('policy', given.get('policy')):
        for options in (given, shared):
            policy = options.pop('policy', None) or {}
            options |= {f'policy.{name}': value for name, value in policy.items()}
    return [
        f'loss_search.{name}={shared[name]!r} has no effect: LossSearchHook gives '
        f'{name}={value!r}, and what the hook gives wins. Take it out of the hook'
        for name, value in given.items()
        if name in shared and shared[name] != value
    ]


def _merges(name: str, value: Any) -> bool:
    """Whether the hook's option changes that of ``loss_search``, in place of replacing it."""
    return name == 'policy' and isinstance(value, dict) and 'type' not in value


def _by_new_names(options: dict[str, Any]) -> dict[str, Any]:
    for old, new in RENAMED.items():
        if old in options:
            warnings.warn(f'{old} is now called {new}', DeprecationWarning, stacklevel=4)
    return {RENAMED.get(name, name): value for name, value in options.items()}
