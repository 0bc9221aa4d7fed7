"""What a training run leaves in its work dir, read back: config, search, metrics, compute."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from torch import nn

from amlfs_mm.engine.history.search_history import read_records
from amlfs_mm.engine.hooks import LossSearchHook
from amlfs_mm.engine.options import SearchOptions, read_search_options
from amlfs_mm.engine.searched_heads import find_heads
from amlfs_mm.engine.state.checkpoints import find_checkpoints
from amlfs_mm.registry import HOOKS
from amlfs_mm.utils.config_types import resolves_to


@dataclass
class Run:
    """A finished or unfinished run of ``tools/train.py``, a search or not.

    Attributes:
        directory: The work dir.
        config: As the run dumped it.
        records: The lines of ``loss_search.jsonl``; empty without a search.
        test: Metrics of ``test.json``, which ``tools/test.py --out`` writes; empty if not tested.
        compute: The content of ``compute.json``; empty if there is none.
        validation: Metrics on D_v by epoch.
    """

    directory: Path
    config: Config
    records: list[dict] = field(default_factory=list)
    test: dict[str, float] = field(default_factory=dict)
    compute: dict[str, int] = field(default_factory=dict)
    validation: dict[int, dict[str, float]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the config file."""
        return Path(self.config.filename).stem

    @property
    def seed(self) -> int | None:
        return self.config.get('randomness', {}).get('seed')

    @property
    def hook(self) -> ConfigDict | None:
        """The config of the search's hook."""
        hooks = self.config.get('custom_hooks') or []
        return next((h for h in hooks if resolves_to(h.get('type'), HOOKS, LossSearchHook)), None)

    @property
    def options(self) -> SearchOptions:
        """The search's options, from its hook and the config's ``loss_search``."""
        given = {key: v for key, v in self.hook.items() if key not in ('type', 'priority')}
        return read_search_options(given, self.config.get('loss_search'))

    @property
    def policy(self) -> dict:
        """The config of the search's policy."""
        return dict(self.options.policy)

    @property
    def reward(self) -> str:
        """The metric that is the reward."""
        return self.options.reward

    @property
    def searched(self) -> list[dict]:
        """The records after the warm-up."""
        return [record for record in self.records if not record['warmup']]

    @property
    def updates(self) -> list[dict]:
        """The records in which mu was updated; it is not where the advantages are all 0."""
        return [record for record in self.searched if any(record['advantage'])]

    @property
    def samples_losses(self) -> bool:
        """Whether candidates had different losses: not in the best-of-B control."""
        return any(
            theta != record['theta'][0] for record in self.records for theta in record['theta']
        )

    @property
    def moves_mu(self) -> bool:
        """Whether mu ever moved: not in the frozen and the best-of-B controls."""
        return any(record['mu'] != record['mu_before'] for record in self.records)

    @property
    def epochs(self) -> int:
        """Epochs that were finished."""
        if self.records:
            return self.records[-1]['epoch']
        numbers = [int(path.stem.split('_')[1]) for path in self.directory.glob('epoch_*.pth')]
        return max(numbers, default=0)

    @property
    def candidate_epochs(self) -> int:
        """Models times epochs trained, the unit in which all runs pay."""
        if 'candidate_epochs' in self.compute:
            return self.compute['candidate_epochs']
        if not self.records:
            return self.epochs
        return sum(len(r['reward']) * (r['epoch'] - r['first_epoch'] + 1) for r in self.records)

    @property
    def images(self) -> int | None:
        """Training images of all candidates' epochs; None if the run did not write them down."""
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
    def head(self) -> nn.Module:
        """The searched head, built from the config, without weights."""
        init_default_scope(self.config.get('default_scope', 'mmpretrain'))
        return find_heads(MODELS.build(self.config.model))[0]

    @property
    def search_space(self):
        """The space that was searched."""
        return self.head.search_space

    @property
    def tau_floor(self) -> str:
        """What kept tau positive; see ``AMLFSHead``."""
        return next(m.tau_floor for m in self.head.modules() if hasattr(m, 'tau_floor'))


def read_run(path: str | Path) -> Run:
    """The run in a work dir, or up to a checkpoint that lies in one.

    Raises:
        FileNotFoundError: There is no such path, or no dumped config there.
        ValueError: The checkpoint was not written by a search.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f'there is no work dir or checkpoint {path}')
    directory = path if path.is_dir() else path.parent
    configs = sorted(directory.glob('*.py'), key=lambda file: file.stat().st_mtime)
    if not configs:
        raise FileNotFoundError(
            f'{directory} is not a work dir of tools/train.py: it has no dumped config (*.py)'
        )
    run = Run(directory, Config.fromfile(configs[-1]))
    if path.is_file():
        checkpoint = torch.load(path, map_location='cpu', weights_only=True, mmap=True)
        if 'loss_search' not in checkpoint:
            raise ValueError(f"{path} has no 'loss_search' state: no search wrote it")
        run.records = checkpoint['loss_search']['records']
    elif (directory / 'loss_search.jsonl').is_file():
        run.records = read_records(directory / 'loss_search.jsonl')
    for name in ('test', 'compute'):
        if (file := directory / f'{name}.json').is_file():
            setattr(run, name, json.loads(file.read_text()))
    run.validation = read_validation(directory)
    return run


def find_runs(paths: Iterable[str | Path]) -> list[Run]:
    """The runs in these work dirs, or one level below them.

    Raises:
        FileNotFoundError: There is no run.
    """
    runs = []
    for path in map(Path, paths):
        children = sorted(path.iterdir()) if path.is_dir() else []
        below = [child for child in children if child.is_dir() and any(child.glob('*.py'))]
        # A work dir may hold others: tools/test.py's, in test/.
        alone = not path.is_dir() or any(path.glob('*.py')) or not below
        runs += [read_run(path)] if alone else [read_run(child) for child in below]
    return runs


def read_validation(directory: Path) -> dict[int, dict[str, float]]:
    """Metrics on D_v by epoch, from mmengine's ``scalars.json``; of a resumed run the later."""
    metrics = {}
    for path in sorted(directory.glob('*/vis_data/scalars.json')):
        for line in path.read_text().splitlines():
            scalars = json.loads(line)
            found = {
                key: value
                for key, value in scalars.items()
                if '/' in key and not key.startswith(('search/', 'train/'))
            }
            if found:
                metrics[scalars['step']] = found
    return metrics
