"""A history of logged numbers that fetches them from the device only when somebody reads it."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor


class DeferredHistoryBuffer(HistoryBuffer):
    """mmengine's HistoryBuffer, to which a tensor can be added without waiting for its number.

    The host waits for the device once when the history is read, for all new numbers together.
    A copy, and what a checkpoint holds, is a plain HistoryBuffer.
    """

    most_pending = 1000  # each keeps a tensor on the device alive

    def __init__(self, *args, **kwargs) -> None:
        self._pending: list[Tensor] = []
        super().__init__(*args, **kwargs)

    def update_later(self, value: Tensor) -> None:
        """Add a tensor of one number, with count 1."""
        self._pending.append(value.detach().clone())
        if len(self._pending) >= self.most_pending:
            self._fetch()

    # mmengine reads and replaces these two attributes.
    @property
    def _log_history(self) -> np.ndarray:
        self._fetch()
        return self._values

    @_log_history.setter
    def _log_history(self, values: np.ndarray) -> None:
        self._values = values

    @property
    def _count_history(self) -> np.ndarray:
        self._fetch()
        return self._counts

    @_count_history.setter
    def _count_history(self, counts: np.ndarray) -> None:
        self._counts = counts

    def _fetch(self) -> None:
        if not self._pending:
            return
        new = torch.stack([value.double().reshape(()) for value in self._pending]).cpu().numpy()
        self._pending = []
        self._values = np.append(self._values, new)[-self.max_length :]
        self._counts = np.append(self._counts, np.ones(len(new), int))[-self.max_length :]

    def __reduce__(self) -> tuple:
        return HistoryBuffer, (self._log_history, self._count_history, self.max_length)
