"""Which epochs belong together: warm-up first, then rounds of the search."""

from __future__ import annotations

from typing import NamedTuple


class SearchSchedule(NamedTuple):
    """Warm-up epochs of the plain loss, then rounds of several epochs each.

    Attributes:
        max_epochs: Of the training loop.
        warmup_epochs: Epochs before the search starts, with the plain loss and one candidate.
        search_every: Epochs that a candidate trains before it is scored.
    """

    max_epochs: int
    warmup_epochs: int = 0
    search_every: int = 1

    def check(self) -> None:
        """Raise a ValueError that names the option if the numbers make no search."""
        if not isinstance(self.warmup_epochs, int) or not 0 <= self.warmup_epochs < self.max_epochs:
            raise ValueError(
                f'warmup_epochs must leave epochs for the search: a whole number from 0 to '
                f'{self.max_epochs - 1} (max_epochs - 1), got {self.warmup_epochs!r}'
            )
        if not isinstance(self.search_every, int) or self.search_every < 1:
            raise ValueError(f'search_every must be a whole number >= 1, got {self.search_every!r}')

    def is_warmup(self, epoch: int) -> bool:
        """Whether this epoch, from 0, comes before the search."""
        return epoch < self.warmup_epochs

    def round_from(self, epoch: int) -> range:
        """The epochs, from 0, of the round that begins with this one; the last may be shorter."""
        length = 1 if self.is_warmup(epoch) else self.search_every
        return range(epoch, min(epoch + length, self.max_epochs))

    def starts_of_rounds(self) -> list[int]:
        """The first epochs, from 0, of all rounds; an epoch of the warm-up is a round by itself."""
        first = self.warmup_epochs
        return [*range(first), *range(first, self.max_epochs, self.search_every)]
