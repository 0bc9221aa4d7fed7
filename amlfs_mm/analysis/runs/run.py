"""A training run as its work dir describes it: config, search, metrics, compute."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS

from amlfs_mm.engine.hooks.loss_search_hook import LossSearchHook
from amlfs_mm.engine.options import RENAMED, SEARCH_OPTIONS, SearchOptions, read_search_options
from amlfs_mm.engine.searched_heads import find_heads
from amlfs_mm.engine.state.checkpoints import find_checkpoints
from amlfs_mm.registry import HOOKS
from amlfs_mm.utils.config_types import resolves_to

from .kept_model import KeptModel

TEST_FILES = {
    'last': 'test.json',
    'best': 'test_best.json',
    'kept': 'test_kept.json',
    'control': 'test_control.json',
}
"""The file in a work dir with the test metrics of each model."""
MODEL_FILES = {'kept': 'kept_model.pth', 'control': 'control.pth'}
"""What a search with a control saves at its end."""


@dataclass
class Run:
    """A finished or unfinished run of ``tools/train.py``, with or without a search.

    Attributes:
        directory: The work dir.
        config: As the run dumped it.
        records: The rounds in ``loss_search.jsonl``; empty without a search.
        tests: Metrics of the tests by the model that was tested: ``last`` from ``test.json``, which
            ``tools/test.py --out`` writes; see ``TEST_FILES``.
        compute: The content of ``compute.json``; empty if there is none.
        validation: Metrics on D_v by epoch.
        kept: Which of search and control is kept; None without a control.
    """

    directory: Path
    config: Config
    records: list[dict] = field(default_factory=list)
    tests: dict[str, dict[str, float]] = field(default_factory=dict)
    compute: dict[str, int] = field(default_factory=dict)
    validation: dict[int, dict[str, float]] = field(default_factory=dict)
    kept: KeptModel | None = None

    @property
    def test(self) -> dict[str, float]:
        """Metrics of the last epoch's model; empty if it was not tested."""
        return self.tests.get('last', {})

    @property
    def name(self) -> str:
        """Name of the config file, without suffix."""
        return Path(self.config.filename).stem

    @property
    def seed(self) -> int | None:
        """Seed in the config; None if it sets none."""
        return self.config.get('randomness', {}).get('seed')

    @cached_property
    def options(self) -> SearchOptions:
        """The options of the search.

        Raises:
            ValueError: The config is not that of a search.
        """
        options = search_options(self.config)
        if options is None:
            raise ValueError(
                f'{self.directory} holds the history of a search, but its config, '
                f'{self.config.filename}, has no LossSearchHook: they are not of one run'
            )
        return options

    @property
    def reward(self) -> str:
        """Name of the metric that is the reward."""
        return self.options.reward

    @property
    def searched(self) -> list[dict]:
        """The rounds after the warm-up."""
        return [record for record in self.records if not record['warmup']]

    @property
    def updates(self) -> list[dict]:
        """The rounds that updated mu: those with an advantage other than 0."""
        return [record for record in self.searched if any(record['advantage'])]

    @property
    def samples_losses(self) -> bool:
        """Whether candidates of a round had different losses. The best-of-B control has none."""
        return any(
            theta != record['theta'][0] for record in self.records for theta in record['theta']
        )

    @property
    def moves_mu(self) -> bool:
        """Whether mu ever moved. It does not in the frozen and the best-of-B controls."""
        return any(record['mu'] != record['mu_before'] for record in self.records)

    @property
    def epochs(self) -> int:
        """How many epochs were finished."""
        if self.records:
            return self.records[-1]['epoch']
        names = [re.fullmatch(r'epoch_(\d+)', p.stem) for p in self.directory.glob('epoch_*.pth')]
        return max([int(name[1]) for name in names if name] + list(self.validation), default=0)

    @property
    def all_validation(self) -> dict[int, dict[str, float]]:
        """Metrics on D_v by epoch; of a search, also the winners' rewards."""
        found = {epoch: dict(metrics) for epoch, metrics in self.validation.items()}
        for record in self.records:
            if record['best'] is not None:
                reward = record['reward'][record['best']]
                found.setdefault(record['epoch'], {})[self.reward] = reward
        return dict(sorted(found.items()))

    @property
    def control_validation(self) -> dict[int, dict[str, float]]:
        """The rewards on D_v of a search's control, by epoch."""
        return {
            record['epoch']: {self.reward: record['control']['reward']}
            for record in self.records
            if record.get('control', {}).get('reward') is not None
        }

    def best_epoch(self, metric: str) -> int:
        """The first epoch, from 1, with the highest metric on D_v; of a search, with its reward.

        Raises:
            ValueError: The metric was never measured on D_v.
        """
        metric = self.reward if self.records else metric
        return first_best(curve(self.all_validation, metric, self.directory))

    @property
    def candidate_epochs(self) -> int:
        """Compute of the run: models times the epochs that each was trained."""
        if 'candidate_epochs' in self.compute:
            return self.compute['candidate_epochs']
        if not self.records:
            return self.epochs
        return sum(
            (len(r['reward']) + ('control' in r)) * (r['epoch'] - r['first_epoch'] + 1)
            for r in self.records
        )

    @property
    def images(self) -> int | None:
        """Training images of all candidates' epochs; None without ``compute.json``."""
        return self.compute.get('images')

    @property
    def last_checkpoint(self) -> Path:
        """The newest checkpoint.

        Raises:
            FileNotFoundError: There is none.
        """
        checkpoints = find_checkpoints(self.directory)
        if not checkpoints:
            raise FileNotFoundError(f'{self.directory} has no checkpoint epoch_<n>.pth')
        return checkpoints[0]

    @cached_property
    def head(self) -> Any:
        """The searched head, built from the config, without trained weights."""
        init_default_scope(self.config.get('default_scope', 'mmpretrain'))
        return find_heads(MODELS.build(self.config.model))[0]

    @cached_property
    def search_space(self) -> Any:
        """The search space.

        Raises:
            ValueError: Its points have another length than those in the history.
        """
        space = self.head.search_space
        if self.records and len(self.records[0]['mu']) != space.dim:
            raise ValueError(
                f'theta has {len(self.records[0]["mu"])} numbers in the history of '
                f'{self.directory}, but {space.dim} in the search space of its config, {space!r}: '
                'they are not of one run'
            )
        return space

    @property
    def tau_floor(self) -> str:
        """How tau is kept positive; see ``AMLFSHead``."""
        return next(m.tau_floor for m in self.head.modules() if hasattr(m, 'tau_floor'))


def curve(validation: dict[int, dict[str, float]], metric: str, source: object) -> dict[int, float]:
    """A metric on D_v by epoch.

    Args:
        validation: Metrics on D_v by epoch.
        metric: Name of the metric.
        source: What they are of, for the message.

    Raises:
        ValueError: It was never measured.
    """
    values = {epoch: found[metric] for epoch, found in validation.items() if metric in found}
    if not values:
        known = sorted({key for metrics in validation.values() for key in metrics})
        raise ValueError(f'{source} has no {metric!r} on D_v; it has {known or "no metric there"}')
    return values


def first_best(curve: dict[int, float]) -> int:
    """The epoch with the highest value; the first of equal ones, as CheckpointHook takes it."""
    return max(curve, key=lambda epoch: (nan_is_worst(curve[epoch]), -epoch))


def nan_is_worst(value: float) -> float:
    """A metric for comparisons: NaN, the metric of a model that diverged, is behind all numbers."""
    return -math.inf if math.isnan(value) else value


def search_options(config: Config) -> SearchOptions | None:
    """The options of a config's loss search, from the hook and from ``loss_search``.

    None without a :class:`~amlfs_mm.engine.LossSearchHook`.
    """
    # An older run may have had options that are gone.
    known = {*SEARCH_OPTIONS, *RENAMED}
    for hook in config.get('custom_hooks') or []:
        if isinstance(hook, dict) and resolves_to(hook.get('type'), HOOKS, LossSearchHook):
            given, shared = (
                {key: value for key, value in options.items() if key in known}
                for options in (hook, config.get('loss_search') or {})
            )
            return read_search_options(given, shared)
    return None
