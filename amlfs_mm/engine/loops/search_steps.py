"""The steps of Algorithm 1 that concern all sub-runners, as the training loop calls them."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from ..history.search_history import SearchHistory
from ..options import SearchOptions
from ..state.search_round import SearchRound


class SearchSteps(Protocol):
    """What :class:`LossSearchLoop` needs of a hook; :class:`LossSearchHook` has it.

    Attributes:
        options: The options of the search.
        history: The records of the rounds so far.
    """

    options: SearchOptions
    history: SearchHistory

    def sample(self, epoch: int) -> Tensor:
        """The candidates (B, D) of the round that begins with this epoch, from 0 (Eq. 19)."""

    def my_candidates(self, theta: Tensor) -> list[int]:
        """Those of the candidates (B, D) that this sub-runner trains."""

    def begin_round(self, theta: Tensor) -> SearchRound:
        """A round that starts from the present state."""

    def install(self, search_round: SearchRound, epoch: int, candidate: int) -> None:
        """Set the state, the loss, the data order and all random numbers of a candidate's epoch."""

    def exchange_rewards(self, search_round: SearchRound) -> Tensor:
        """The rewards (B,) of all candidates."""

    def update_policy(self, search_round: SearchRound, reward: Tensor) -> Tensor:
        """Move mu (Eq. 20), and return the advantages (B,)."""

    def hand_over(self, search_round: SearchRound, winner: int | None) -> None:
        """Put every sub-runner into the winner's state."""

    def record(
        self, search_round: SearchRound, reward: Tensor, advantage: Tensor, winner: int | None
    ) -> None:
        """Write the round down."""

    def go_back(self) -> None:
        """Put every sub-runner into the best round's state, if the record says so."""
