"""A progress bar over an epoch's candidates."""

from __future__ import annotations

import sys

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class CandidateProgress:
    """One bar an epoch, in training iterations of the candidates that this process serves.

    Args:
        epochs: T.
        candidates: Candidates that this sub-runner trains an epoch.
        iterations: Iterations of one candidate's epoch.
        visible: Draw it; never if the output is no terminal.
    """

    def __init__(self, epochs: int, candidates: int, iterations: int, visible: bool) -> None:
        self.epochs = epochs
        self.candidates = candidates
        self.iterations = iterations
        self.visible = visible and sys.stdout.isatty()
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
        self._bar.update(self._task, description=f'epoch {epoch}/{self.epochs}, theta_{candidate}')

    def advance(self) -> None:
        """One more iteration is done."""
        if self._bar is not None:
            self._bar.advance(self._task)

    def finish_epoch(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
