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

    most_pending = 1000  # each may keep a tensor on the device alive

    def __init__(self, *args, **kwargs) -> None:
        self._pending: list[Tensor | float] = []
        super().__init__(*args, **kwargs)

    def update_later(self, value: Tensor) -> None:
        """Add a tensor of one number, with count 1."""
        # On the CPU there is nothing to wait for.
        self._add(value.item() if value.device.type == 'cpu' else value.detach().clone())

    def update(self, log_val: float, count: int = 1) -> None:
        """Add a number. mmengine's own copies the whole history for each one."""
        if count == 1 and type(log_val) in (int, float):
            self._add(log_val)
        else:
            super().update(log_val, count)

    def current(self) -> float:
        """The last number."""
        last = self._pending[-1] if self._pending else None
        return super().current() if last is None or isinstance(last, Tensor) else last

    def _add(self, value: Tensor | float) -> None:
        self._pending.append(value)
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
        new = np.array([0.0 if isinstance(v, Tensor) else v for v in self._pending])
        waiting = {n: value for n, value in enumerate(self._pending) if isinstance(value, Tensor)}
        if waiting:
            tensors = [value.double().reshape(()) for value in waiting.values()]
            new[list(waiting)] = torch.stack(tensors).cpu().numpy()
        self._pending = []
        self._values = np.append(self._values, new)[-self.max_length :]
        self._counts = np.append(self._counts, np.ones(len(new), int))[-self.max_length :]

    def __reduce__(self) -> tuple:
        return HistoryBuffer, (self._log_history, self._count_history, self.max_length)
