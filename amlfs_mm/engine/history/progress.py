"""A progress bar over an epoch's candidates."""

from __future__ import annotations

import logging
import sys

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class CandidateProgress:
    """One bar for each round, over the training iterations of this sub-runner's candidates.

    While the bar is shown, the logger prints warnings only; all lines go to its file. Without a
    terminal there is no bar, and all lines are printed.

    Args:
        epochs: All epochs of the training.
        candidates: Candidates that this sub-runner trains in a round.
        iterations: Iterations of one candidate's epoch.
        logger: The logger whose console lines would break the bar.
        visible: Whether this process draws the bar.
    """

    def __init__(
        self, epochs: int, candidates: int, iterations: int, logger: logging.Logger, visible: bool
    ) -> None:
        self.epochs = epochs
        self.candidates = candidates
        self.iterations = iterations
        self.visible = visible and sys.stdout.isatty()
        self._consoles = [
            (handler, handler.level)
            for handler in logger.handlers
            if not isinstance(handler, logging.FileHandler)
        ]
        self._bar: Progress | None = None

    def start_candidate(self, epoch: int, candidate: int) -> None:
        """Show that a candidate's training begins, its epoch counted from 1."""
        if not self.visible:
            return
        if self._bar is None:
            self._bar = Progress(
                TextColumn('{task.description}'),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                transient=True,
            )
            self._task = self._bar.add_task('', total=self.candidates * self.iterations)
            self._bar.start()
            for handler, level in self._consoles:
                handler.setLevel(max(level, logging.WARNING))
        self._bar.update(self._task, description=f'epoch {epoch}/{self.epochs}, theta_{candidate}')

    def advance(self) -> None:
        """Count one more iteration."""
        if self._bar is not None:
            self._bar.advance(self._task)

    def finish_round(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
            for handler, level in self._consoles:
                handler.setLevel(level)
            self._bar = None
