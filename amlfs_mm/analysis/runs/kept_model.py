"""``kept_model.json`` read back: which of search and control a user keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from amlfs_mm.engine.history.log import digits_of


class KeptModel(NamedTuple):
    """The choice between the last models of search and control, by the reward on D_v.

    Attributes:
        kept: ``'search'`` or ``'control'``.
        reward: Name of the metric.
        search: The search's reward; None if all of its rounds diverged.
        control: The control's; None if it always diverged.
        difference: The search's minus the control's; None if one of them is.
        interval: The 95 % interval of the difference, paired over the samples of D_v; None if the
            metric is no mean over samples.
    """

    kept: str
    reward: str
    search: float | None
    control: float | None
    difference: float | None
    interval: tuple[float, float] | None

    @classmethod
    def read(cls, path: Path) -> KeptModel:
        """The choice in a file.

        Raises:
            ValueError: The file is cut short, or no search wrote it.
        """
        try:
            content = json.loads(path.read_bytes())
            choice = cls(*(content[name] for name in cls._fields))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f'{path} is not as a search with a control writes it: {error}') from (
                error
            )
        if choice.kept not in ('search', 'control'):
            raise ValueError(f"{path}: kept must be 'search' or 'control', got {choice.kept!r}")
        return choice

    @property
    def comparison(self) -> str:
        """The difference with its interval, as text."""
        if self.difference is None:
            return 'the other one has no reward'
        digits = digits_of(self.search or 0.0)
        text = f'search minus control {self.difference:+.{digits}f}'
        if self.interval is None:
            return text
        low, high = self.interval
        return f'{text} [{low:+.{digits}f}, {high:+.{digits}f}]'

    def __str__(self) -> str:
        return f'{self.kept}: {self.comparison}'
