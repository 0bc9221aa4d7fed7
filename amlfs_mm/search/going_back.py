"""When a search goes back to its best round so far.

A network that has learnt wrong labels by heart does not unlearn them. So one bad round can spoil
all later ones. A search that goes back starts the next round from the best round's model instead.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from .reward_filters import check_error, standard_error


@dataclass(frozen=True)
class GoBackRule:
    """When to go back to the best round so far.

    A round is behind if its reward is lower than the best round's, by more than the tolerance. Of
    equal rewards the later one is the best: its model was trained longer.

    Attributes:
        patience: Rounds in a row that must be behind.
        tolerance: In standard errors.
        error: The standard error of a reward, in the reward's unit. ``'binomial'``: that of a
            percentage on D_v, for accuracies. ``'spread'``: the standard deviation of the round's
            rewards over its candidates, which also knows how much one epoch of training jumps at
            this learning rate; with one candidate left it is 0. With 1, the tolerance is in the
            reward's unit.
        max_returns: Going back so many times in a row to one round, its score is taken for luck:
            the next time, the best of the rounds after it takes its place. None: no limit.

    Raises:
        ValueError: An option has a value that it cannot have.
    """

    patience: int = 1
    tolerance: float = 0.0
    error: float | str = 'binomial'
    max_returns: int | None = None

    def __post_init__(self) -> None:
        for name, value in (('patience', self.patience), ('max_returns', self.max_returns)):
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            if not whole and not (name == 'max_returns' and value is None):
                raise ValueError(f'go_back: {name} must be a whole number >= 1, got {value!r}')
        if not (isinstance(self.tolerance, (int, float)) and 0 <= self.tolerance < math.inf):
            raise ValueError(f'go_back: tolerance must be a number >= 0, got {self.tolerance!r}')
        if self.error == 'spread' and self.tolerance == 0:
            raise ValueError(
                "go_back: error='spread' does nothing with a tolerance of 0: set tolerance=2, or "
                'go_back=True to go back after every round that is behind'
            )
        if self.error != 'spread':
            check_error(self.error, 'go_back: error', "'binomial', 'spread'")

    @classmethod
    def read(cls, option: bool | dict) -> GoBackRule | None:
        """The rule of an option ``go_back``: True, or some of the attributes; None for False.

        Raises:
            ValueError: It is none of these, or an attribute is unknown or has a wrong value.
        """
        if isinstance(option, bool):
            return cls() if option else None
        known = list(cls.__dataclass_fields__)
        if not isinstance(option, dict):
            raise ValueError(f'go_back must be True, False or a dict of {known}, got {option!r}')
        if unknown := sorted(set(option) - set(known)):
            raise ValueError(f'go_back has no option {unknown}; it has {known}')
        return cls(**option)

    def is_behind(self, reward: float, best: float, num_scored: int, spread: float = 0.0) -> bool:
        """Whether a reward is behind the best one; both of ``num_scored`` validation samples.

        Args:
            reward: Of the round's winner.
            best: Of the best round's winner.
            num_scored: How many validation samples both were measured on.
            spread: The standard deviation of the round's rewards over its candidates.
        """
        if not reward < best:
            return False
        if self.tolerance == 0 or math.isinf(reward):
            return True
        if self.error == 'spread':
            return best - reward > self.tolerance * spread
        return best - reward > self.tolerance * standard_error(best, num_scored, self.error)


class ScoredRound(NamedTuple):
    """A round by its number, and the reward of its winner."""

    number: int
    reward: float


class BestRounds:
    """Follows a rule from round to round.

    Attributes:
        rule: When to go back.
        best: The round to go back to; None before the first round.
        next_best: The best of the rounds after it; it may take its place (``max_returns``).
        behind: How many rounds in a row have been behind.
        returns: How many times in a row the search has gone back to ``best``.
    """

    def __init__(self, rule: GoBackRule) -> None:
        self.rule = rule
        self.best: ScoredRound | None = None
        self.next_best: ScoredRound | None = None
        self.behind = 0
        self.returns = 0

    @property
    def kept(self) -> set[int]:
        """The numbers of the rounds whose models may be needed again."""
        return {known.number for known in (self.best, self.next_best) if known is not None}

    def note(
        self,
        number: int,
        reward: float,
        num_scored: int,
        spread: float = 0.0,
        always_goes_on: bool = False,
    ) -> int | None:
        """Note a round, and decide from where the search goes on.

        Args:
            number: Of the round.
            reward: Of its winner; minus infinity if all candidates diverged.
            num_scored: How many validation samples the reward was measured on.
            spread: The standard deviation of the round's rewards over its candidates.
            always_goes_on: The search goes on from this round in any case, as in a warm-up.

        Returns:
            The round to go back to; None to go on from this one.
        """
        this = ScoredRound(number, reward)
        if self.best is None or always_goes_on or reward >= self.best.reward:
            self._set_best(this)
            return None
        best_since = -math.inf if self.next_best is None else self.next_best.reward
        if self.rule.max_returns is not None and reward > -math.inf and reward >= best_since:
            self.next_best = this
        if not self.rule.is_behind(reward, self.best.reward, num_scored, spread):
            self.behind = 0
            return None
        self.behind += 1
        if self.behind < self.rule.patience:
            return None
        self.behind = 0
        self.returns += 1
        if self.returns > (self.rule.max_returns or math.inf) and self.next_best is not None:
            self._set_best(self.next_best)
        return None if self.best.number == number else self.best.number

    def _set_best(self, best: ScoredRound) -> None:
        self.best, self.next_best = best, None
        self.behind = self.returns = 0

    def state_dict(self) -> dict[str, Any]:
        """What a resumed search needs: plain values."""
        pair = [None if known is None else list(known) for known in (self.best, self.next_best)]
        return dict(rule=asdict(self.rule), rounds=pair, behind=self.behind, returns=self.returns)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state_dict`.

        Raises:
            ValueError: The state is that of another rule.
        """
        if state['rule'] != asdict(self.rule):
            raise ValueError(
                f'the search of the checkpoint to resume goes back by {state["rule"]}, the config '
                f"by {asdict(self.rule)}: set the hook's go_back to that of the checkpoint"
            )
        self.best, self.next_best = (
            None if known is None else ScoredRound(*known) for known in state['rounds']
        )
        self.behind, self.returns = state['behind'], state['returns']
