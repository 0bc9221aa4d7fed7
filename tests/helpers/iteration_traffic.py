"""What a training iteration costs a device, as a hook sees it."""

from __future__ import annotations

from collections import Counter

from mmengine.hooks import Hook

from helpers.standin_device import Traffic


class IterationTraffic(Hook):
    """What crossed in each training iteration, from the end of the one before to its own.

    Args:
        traffic: What is counted.
        log_interval: LoggerHook's. Iterations with a line in the log are left out.
    """

    priority = 'LOWEST'

    def __init__(self, traffic: Traffic, log_interval: int) -> None:
        self.traffic = traffic
        self.log_interval = log_interval
        self.between_logs: list[tuple[Counter, Counter]] = []  # waited for, sent

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if batch_idx == 0:
            self.before = self.traffic.waits, self.traffic.to_device.copy()

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        now = self.traffic.waits, self.traffic.to_device.copy()
        if (batch_idx + 1) % self.log_interval:
            pairs = zip(now, self.before, strict=True)
            self.between_logs.append(tuple(late - early for late, early in pairs))
        self.before = now
