"""The training states that a search keeps from round to round, beside the runner's own."""

from __future__ import annotations

from typing import Any

from mmengine.runner import Runner

from ..options import SearchOptions
from .best_round import BestRoundState
from .control import ControlLineage


def count_states(options: SearchOptions) -> int:
    """How many training states a process keeps at a time, those of a round counted."""
    states = 2  # the start, and the best so far
    if options.control:
        states += 2  # the control's start, and what it has trained
    if options.go_back_rule is not None:
        states += 1 if options.go_back_rule.max_returns is None else 2
    return states


class KeptStates:
    """The state of a control, and that of the best round so far, if the search has them.

    Args:
        options: Of the search.
        on_host: Keep the states in host memory.

    Attributes:
        control: None without a control.
        best_round: None if the search does not go back.
    """

    def __init__(self, options: SearchOptions, on_host: bool) -> None:
        rule = options.go_back_rule
        self.on_host = on_host
        self.control = ControlLineage() if options.control else None
        self.best_round = None if rule is None else BestRoundState(rule, on_host)

    def content(self, present: int) -> dict[str, Any]:
        """What a checkpoint holds of them.

        Args:
            present: The last epoch of the round whose winner's state the checkpoint holds anyway.
        """
        content: dict[str, Any] = {}
        if self.control is not None:
            content['control'] = self.control.content()
        if self.best_round is not None:
            content['best_round'] = self.best_round.content(present)
        return content

    def load(self, content: dict[str, Any], runner: Runner) -> None:
        """Go on from what :meth:`content` gave; the runner has loaded the checkpoint."""
        if self.control is not None:
            self.control.load(content['control'], self.on_host)
        if self.best_round is not None:
            self.best_round.load(content['best_round'], runner)
