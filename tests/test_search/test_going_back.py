"""When a search goes back: sequences worked out by hand, and what must hold for any rewards."""

import math
import random

import pytest

from amlfs_mm.search import BestRounds, GoBackRule

LOST = -math.inf


def follow(rewards: list[float], warmup: int = 0, num_scored: int = 100, **options) -> list:
    """Where each round, numbered from 1, sends the search back to."""
    rounds = BestRounds(GoBackRule(**options))
    return [
        rounds.note(number, reward, num_scored, always_goes_on=number <= warmup)
        for number, reward in enumerate(rewards, start=1)
    ]


def test_at_once():
    """A tie goes on, and is the best from then on."""
    assert follow([50, 60, 55, 58, 60, 59, 70]) == [None, None, 2, 2, None, 5, None]


def test_patience():
    """Two rounds in a row; 4 is alone before a new best."""
    rewards = [60, 50, 55, 40, 61, 50, 49, 48]
    assert follow(rewards, patience=2) == [None, None, 1, None, None, None, 5, None]


def test_a_round_within_the_tolerance_ends_the_row():
    """At 80 % of 100 samples a standard error is 4 points."""
    rewards = [80, 75, 76.1, 75.9, 75, 79]
    assert follow(rewards, patience=2, tolerance=1) == [None, None, None, None, 1, None]
    assert follow(rewards, tolerance=1) == [None, 1, None, 1, 1, None]
    assert follow(rewards, tolerance=1, num_scored=10_000) == [None, 1, 1, 1, 1, 1]


def test_a_slow_decline_does_not_creep_away():
    """Each round is near the one before it; the tolerance counts from the best."""
    assert follow([80, 79, 78, 77], tolerance=2, error=1) == [None, None, None, 1]


@pytest.mark.parametrize('scale', [1, 0.01])
def test_an_error_in_the_unit_of_the_reward(scale: float):
    rewards = [scale * reward for reward in (-10, -11, -12)]
    assert follow(rewards, tolerance=1.5, error=scale) == [None, None, 1]


def test_an_error_that_knows_how_much_an_epoch_jumps():
    """5 points behind is nothing where the candidates differ by 6, and much where by 1."""
    rounds = BestRounds(GoBackRule(tolerance=2, error='spread'))
    assert rounds.note(1, 60, 100, spread=8.0) is None
    assert rounds.note(2, 55, 100, spread=6.0) is None
    assert rounds.note(3, 55, 100, spread=1.0) == 1
    assert rounds.note(4, LOST, 100, spread=0.0) == 1


def test_a_lucky_score_does_not_hold_the_search():
    """After two returns to 1, the best of 2, 3, 4 takes its place; then 5 is behind that one."""
    rewards = [90, 70, 75, 72, 71, 76, 74]
    assert follow(rewards, max_returns=2) == [None, 1, 1, 3, 3, None, 6]
    assert follow(rewards) == [None, 1, 1, 1, 1, 1, 1]


def test_the_last_round_may_take_the_place():
    assert follow([90, 70, 75, 74], max_returns=1) == [None, 1, None, 3]


def test_a_lost_round_is_behind_and_takes_no_place():
    assert follow([LOST, 10, LOST, LOST, 5], max_returns=1) == [None, None, 2, 2, None]
    assert follow([10, LOST, 9, LOST], patience=2) == [None, None, 1, None]


def test_a_warm_up_goes_on():
    """Its last round is what the search may go back to, though an earlier one was better."""
    assert follow([30, 50, 40, 35], warmup=3) == [None, None, None, 3]


def test_the_model_is_always_the_best_so_far():
    draw = random.Random(0)
    for _ in range(50):
        rewards = [draw.randrange(20) for _ in range(30)]
        for number, back_to in enumerate(follow(rewards), start=1):
            model = number if back_to is None else back_to
            assert rewards[model - 1] == max(rewards[:number])


def test_no_decline_lasts_longer_than_the_patience():
    draw = random.Random(1)
    for _ in range(50):
        rewards = [draw.uniform(50, 60) for _ in range(40)]
        going = follow(rewards, patience=3, tolerance=2, error=1)
        behind = 0
        for number, back_to in enumerate(going, start=1):
            model = number if back_to is None else back_to
            is_behind = rewards[model - 1] < max(rewards[:number]) - 2
            behind = behind + 1 if is_behind else 0
            assert behind < 3


def test_resumed_anywhere():
    draw = random.Random(2)
    rule = GoBackRule(patience=2, tolerance=0.5, max_returns=2)
    rewards = [draw.uniform(50, 60) for _ in range(40)]
    whole = BestRounds(rule)
    for number, reward in enumerate(rewards, start=1):
        resumed = BestRounds(rule)
        resumed.load_state_dict(whole.state_dict())
        assert resumed.note(number, reward, 500) == whole.note(number, reward, 500)
        assert resumed.state_dict() == whole.state_dict()
        assert resumed.kept == whole.kept


def test_resumed_by_another_rule():
    other = BestRounds(GoBackRule(patience=2))
    with pytest.raises(ValueError, match=r"'patience': 1.*'patience': 2.*set the hook's go_back"):
        other.load_state_dict(BestRounds(GoBackRule()).state_dict())


def test_the_option():
    assert GoBackRule.read(False) is None
    assert GoBackRule.read(True) == GoBackRule.read({}) == GoBackRule(patience=1, tolerance=0)
    assert GoBackRule.read(dict(patience=3)) == GoBackRule(patience=3)


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        ('yes', "go_back must be True, False or a dict of .*'patience'.*, got 'yes'"),
        (dict(patients=2), r"go_back has no option \['patients'\]; it has \['patience'"),
        (dict(patience=0), 'go_back: patience must be a whole number >= 1, got 0'),
        (dict(patience=True), 'patience must be a whole number >= 1, got True'),
        (dict(max_returns=0), 'go_back: max_returns must be a whole number >= 1, got 0'),
        (dict(tolerance=-1), 'go_back: tolerance must be a number >= 0, got -1'),
        (dict(tolerance=math.nan), 'tolerance must be a number >= 0, got nan'),
        (
            dict(error='spread'),
            "error='spread' does nothing with a tolerance of 0: set tolerance=2",
        ),
        (
            dict(error='normal'),
            "error must be 'binomial', 'spread' or a positive number, got 'norm",
        ),
    ],
)
def test_refused(option: object, message: str):
    with pytest.raises(ValueError, match=message):
        GoBackRule.read(option)
