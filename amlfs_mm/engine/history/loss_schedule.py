"""Reading ``loss_schedule.json``: the losses that a search chose, epoch by epoch."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from amlfs_mm.search import loss_path
from amlfs_mm.search.head_options import head_options

from .lineage import epochs_of_lineage

KEYS = ('seed', 'search_space', 'hand_over', 'replicas', 'threads', 'compute', 'epochs')
EPOCH_KEYS = ('epoch', 'round', 'candidate', 'stream', 'theta', 'mu')


class LossSchedule:
    """The winner's loss of every epoch of a search, and what fixes the winner's data order.

    Args:
        path: The file's path, for messages.
        content: The file's content, as :meth:`SearchHistory.write_schedule` describes it.

    Attributes:
        epochs: One dict for each epoch. ``round`` counts rounds from 1. ``candidate`` is the
            round's winner, ``stream`` the number of its data order, ``theta`` its loss. These three
            are None in a lost round: all candidates diverged, and the model stayed as it was.
            A search that goes back also has ``started_from``, ``went_back_to`` and
            ``leads_to_model``; see :meth:`SearchHistory.write_schedule`.
        is_merged: Whether ``amlfs_mm zoo merge`` wrote the file. Then it has losses to train with,
            but no run of a search can be repeated from it.
        reward: Name of the metric on D_v that was the reward; None in a merged schedule.
        head: The options of the head that shape the loss besides theta; see :func:`head_options`.

    Raises:
        ValueError: The content contradicts itself. The message names the file and the reason.
    """

    def __init__(self, path: str | Path, content: dict) -> None:
        self.path = path
        for key in KEYS:
            if not isinstance(content, dict) or key not in content:
                raise self._error(f'it has no {key!r}')
        self.seed: int = content['seed']
        self.search_space: str = content['search_space']
        self.hand_over: str = content['hand_over']
        self.replicas: int = content['replicas']
        self.threads: int = content['threads']
        if not isinstance(content['compute'], dict) or 'images_per_epoch' not in content['compute']:
            raise self._error("its 'compute' has no 'images_per_epoch'")
        self.images_per_epoch: int = content['compute']['images_per_epoch']
        self.reward: str | None = content.get('reward')
        self.epochs: list[dict] = content['epochs']
        self.is_merged: bool = 'merged' in content
        self.head: dict = head_options(content)
        self._check_epochs()

    @classmethod
    def read(cls, path: str | Path) -> LossSchedule:
        """The schedule in a file, given by its path or as ``'zoo:NAME'``.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is no loss schedule, or its content contradicts itself.
        """
        path = loss_path(path)
        if not Path(path).is_file():
            raise FileNotFoundError(
                f'there is no loss schedule {str(path)!r}: give the loss_schedule.json that a '
                'search writes into its work dir at the end'
            )
        try:
            content = json.loads(Path(path).read_text())
        except ValueError as error:
            raise ValueError(f'{path} is no loss schedule: it is not JSON ({error})') from error
        return cls(path, content)

    def __len__(self) -> int:
        return len(self.epochs)

    def is_lost(self, epoch: int) -> bool:
        """Whether the model stayed as it was in this epoch, from 0."""
        return self.epochs[epoch]['theta'] is None

    def leads_to_model(self, epoch: int) -> bool:
        """Whether the final model comes from this epoch, from 0. A search can go back behind it."""
        return self.epochs[epoch].get('leads_to_model', True) and not self.is_lost(epoch)

    def round_of(self, epoch: int) -> range:
        """The epochs, from 0, of the round to which this epoch belongs."""
        same = [i for i, e in enumerate(self.epochs) if e['round'] == self.epochs[epoch]['round']]
        return range(same[0], same[-1] + 1)

    def theta(self, epoch: int) -> Tensor:
        """The winner's loss (D,) of an epoch, from 0."""
        return torch.tensor(self.epochs[epoch]['theta'])

    def held(self, num_epochs: int) -> Tensor:
        """Losses (num_epochs, D) for another training: epoch by epoch, then the last one again.

        A lost epoch takes the loss of the epoch before it; the first epoch that of the next one.
        """
        known, theta = self._survivors()
        rows = [max((k for k in known if k <= e), default=known[0]) for e in range(num_epochs)]
        return torch.stack([theta[known.index(row)] for row in rows])

    def stretched(self, num_epochs: int) -> Tensor:
        """Losses (num_epochs, D) for another training, interpolated by the progress of training.

        Epoch e of T' has its middle at ``(e + 1/2) / T'``. Its loss lies on the line between the
        losses of the two epochs of this schedule with the nearest middles. It is constant before
        the first middle and after the last. Lost epochs are left out.
        """
        known, theta = self._survivors()
        return interpolate(theta, middles_of(len(self))[known], middles_of(num_epochs))

    def stretched_mu(self, num_epochs: int) -> Tensor:
        """The mean mu (num_epochs, D) of the distribution, as in :meth:`stretched`."""
        mu = torch.tensor([entry['mu'] for entry in self.epochs])
        return interpolate(mu, middles_of(len(self)), middles_of(num_epochs))

    def model_reward(self) -> float:
        """The reward on D_v of the search's model: that of the last round that leads to it.

        Raises:
            ValueError: The schedule has no rewards, or no round has a winner.
        """
        rewards = [
            entry.get('reward') for i, entry in enumerate(self.epochs) if self.leads_to_model(i)
        ]
        if not rewards or rewards[-1] is None:
            raise ValueError(f'{self.path} has no reward of a winner')
        return rewards[-1]

    def _survivors(self) -> tuple[list[int], Tensor]:
        known = [e for e in range(len(self)) if not self.is_lost(e)]
        if not known:
            raise self._error('in all of its epochs all candidates diverged')
        return known, torch.stack([self.theta(e) for e in known])

    def _check_epochs(self) -> None:
        if not isinstance(self.epochs, list) or not self.epochs:
            raise self._error('it has no epochs')
        for number, entry in enumerate(self.epochs, start=1):
            if not isinstance(entry, dict):
                raise self._error(f'its epoch {number} is {entry!r}, not an object')
            for key in EPOCH_KEYS:
                if key not in entry:
                    raise self._error(f'its epoch {number} has no {key!r}')
            if entry['epoch'] != number:
                raise self._error(f'epoch {entry["epoch"]} stands where epoch {number} should')
            if len({entry[key] is None for key in ('candidate', 'stream', 'theta')}) > 1:
                raise self._error(f'epoch {number} has a candidate or a theta, but not both')
            for key in ('theta', 'mu'):
                if not (_is_vector(entry[key]) or (key == 'theta' and entry[key] is None)):
                    raise self._error(f'{key} of epoch {number} is no list of finite numbers')
        lengths = {len(e['theta']) for e in self.epochs if e['theta'] is not None}
        if len(lengths) > 1:
            raise self._error(f'its thetas have different lengths, {sorted(lengths)}')
        for before, after in pairwise(self.epochs):
            if after['round'] - before['round'] not in (0, 1):
                raise self._error(f'epoch {after["epoch"]} skips a round')
            same = all(before[key] == after[key] for key in ('candidate', 'stream', 'theta'))
            if after['round'] == before['round'] and not same:
                raise self._error(f'epoch {after["epoch"]} has another winner than its round')
        if 'leads_to_model' in self.epochs[0]:
            self._check_lineage()

    def _check_lineage(self) -> None:
        last = {entry['round']: entry for entry in self.epochs}
        rounds = [
            dict(epoch=entry['epoch'], best=entry['candidate'], lineage=entry)
            for entry in last.values()
        ]
        of_model = epochs_of_lineage(rounds)
        for entry in self.epochs:
            if entry.get('leads_to_model') != (last[entry['round']]['epoch'] in of_model):
                raise self._error(
                    f'leads_to_model of epoch {entry["epoch"]} contradicts the rounds to which the '
                    'search went back'
                )

    def _error(self, reason: str) -> ValueError:
        return ValueError(
            f'{self.path} is no loss schedule: {reason}. Expected is the loss_schedule.json of a '
            'finished search, as it was written'
        )


def middles_of(num_epochs: int) -> Tensor:
    """The progress (num_epochs,) of a training in the middle of each epoch, from 0 to 1."""
    return (torch.arange(num_epochs, dtype=torch.float64) + 0.5) / num_epochs


def interpolate(theta: Tensor, middles: Tensor, progress: Tensor) -> Tensor:
    """The losses (T, D) at some points of a training, on the lines between known ones.

    Before the first known point and after the last the loss is constant.

    Args:
        theta: (K, D) the known losses.
        middles: (K,) float64, the progress at which they hold, ascending.
        progress: (T,) float64, from 0 (the start of the training) to 1 (its end).
    """
    last = len(theta) - 1
    right = torch.searchsorted(middles, progress).clamp(1, max(last, 1))
    left, right = right - 1, right.clamp(max=last)
    gap = (middles[right] - middles[left]).clamp(min=1e-12)
    share = ((progress - middles[left]) / gap).clamp(0, 1)[:, None]
    return ((1 - share) * theta[left].double() + share * theta[right].double()).float()


def _is_vector(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(number, (int, float)) and math.isfinite(number) for number in value
    )
