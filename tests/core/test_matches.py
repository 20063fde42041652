import numpy as np
import pytest

from lanista.env import VecEnv
from lanista.errors import EnvContractError, UsageError
from lanista.intervals import wilson
from lanista.matches import MatchResult, Tally, evaluate_returns, play_matches, seat_orders
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart


class Race(VecEnv):
    """Everyone adds up numbers for a random number of rounds; the largest sum wins; 9 is never legal."""

    def __init__(
        self, num_games, seats=2, alternating=False, rounds=6, score=False, forever=False, fixed=False
    ):
        self.num_games, self.rounds, self.alternating, self.forever = num_games, rounds, alternating, forever
        self.fixed = fixed
        self.spec = EnvSpec(
            name="race", version="1", source="none", seats=seats,
            turns="alternating" if alternating else "simultaneous",
            observation=(ObsPart("clock", (2,), "float32", "rounds gone and rounds in all"),),
            heads=(HeadSpec("number", "categorical", 10, "the number to add"),),
            facts=(FactSpec("reward", "flow", "points", "official reward"),),
            max_steps=rounds * (seats if alternating else 1), reward_range=(-1.0, 1.0),
            outcome="score" if score else "result",
        )  # fmt: skip
        n, s = num_games, seats
        self.observation = {"clock": np.zeros((n, s, 2), np.float32)}
        self.legal = {"number": np.ones((n, s, 10), bool)}
        self.legal["number"][:, :, 9] = False
        self.acting = np.ones((n, s), bool)
        self.facts = {"reward": np.zeros((n, s), np.float32)}
        self.outcome = np.zeros((n, s), np.float32)
        self.terminated = np.zeros((n, s), bool)
        self.truncated = np.zeros((n, s), bool)
        self.ended = np.zeros(n, bool)
        self.asked = 0
        self.closed = False

    def reset(self, seed):
        self.seed = seed
        self.episode = np.zeros(self.num_games, int)
        self.total = np.zeros((self.num_games, self.spec.seats))
        self.turn = np.zeros(self.num_games, int)
        self.length = np.zeros(self.num_games, int)
        self._start(np.arange(self.num_games))
        self._show()

    def _start(self, games):
        for game in games:
            stream = np.random.default_rng([self.seed, game, self.episode[game]])
            self.length[game] = self.rounds if self.fixed else stream.integers(1, self.rounds + 1)
        self.turn[games] = 0
        self.total[games] = 0

    def _show(self):
        seats = self.spec.seats
        self.observation["clock"][:, :, 0] = self.turn[:, None]
        self.observation["clock"][:, :, 1] = self.length[:, None]
        if self.alternating:
            self.acting[:] = self.turn[:, None] % seats == np.arange(seats)

    def step(self, actions):
        number = actions["number"]
        assert number.dtype == np.int64
        assert (number[self.acting] < 9).all(), "an illegal action came in"
        self.total += np.where(self.acting, number, 0)
        self.turn += 1
        over = self.turn >= self.length * (self.spec.seats if self.alternating else 1)
        self.ended[:] = over & (not self.forever)
        self.outcome[:] = 0
        best = self.total == self.total.max(axis=1, keepdims=True)
        result = np.where(best.all(axis=1, keepdims=True), 0, np.where(best, 1, -1))
        shown = self.total if self.spec.outcome == "score" else result
        self.outcome[self.ended] = shown[self.ended]
        self.terminated[:] = self.ended[:, None]
        gone = np.flatnonzero(self.ended)
        self.episode[gone] += 1
        self._start(gone)
        self._show()

    def close(self):
        self.closed = True


class Says:
    """Plays a number, or what a rule says of (rounds gone, rounds in all); remembers how it was asked."""

    def __init__(self, number, rule=None):
        self.number, self.rule = number, rule
        self.calls, self.rows, self.seats = 0, 0, set()

    def act(self, env, games, seats):
        assert env.acting[games, seats].all()
        assert len(games), "asked for nothing"
        self.calls += 1
        self.rows += len(games)
        self.seats |= set(seats.tolist())
        clock = env.observation["clock"][games, seats]
        return {"number": self.rule(clock) if self.rule else np.full(len(games), self.number)}

    def state(self):
        return {}

    def load_state(self, state):
        pass


@pytest.mark.parametrize("alternating", [False, True])
def test_every_seat_order_is_played_equally_often(alternating):
    envs = []

    def make(num_games):
        envs.append(Race(num_games, alternating=alternating))
        return envs[-1]

    strong, weak = Says(3), Says(2)
    result = play_matches(make, (strong, weak), 15, seed=4)
    assert result.num_games == 30
    assert result.tally(0, 1) == Tally(wins=30)
    assert result.tally(1, 0) == Tally(losses=30)
    assert result.tally(0, 1, seat=0) == result.tally(0, 1, seat=1) == Tally(wins=15)
    assert strong.seats == weak.seats == {0, 1}
    # One call a step for all games of a seat order.
    assert strong.calls <= 2 * envs[0].spec.max_steps
    assert all(env.closed for env in envs)


def test_equal_players_draw_and_a_draw_is_half():
    tally = play_matches(Race, (Says(1), Says(1)), 4, seed=0).tally(0, 1)
    assert tally == Tally(draws=8)
    assert (tally.score, tally.share, tally.undecided()) == (4.0, 0.5, True)


def test_four_seats_meet_in_pairs_by_official_outcome():
    result = play_matches(lambda n: Race(n, seats=4, score=True), [Says(n) for n in (4, 3, 2, 1)], 5, seed=1)
    assert result.num_games == 20
    for player in range(4):
        for seat in range(4):
            assert int((result.seating[:, seat] == player).sum()) == 5
        for opponent in range(player + 1, 4):
            assert result.tally(player, opponent) == Tally(wins=20)
    assert [result.score(player) for player in range(4)] == pytest.approx([1, 2 / 3, 1 / 3, 0])
    assert result.games(2) == 20


def test_the_last_player_fills_the_seats_left_over():
    assert seat_orders(2, 4).tolist() == [[0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0]]
    result = play_matches(lambda n: Race(n, seats=4), (Says(5), Says(2)), 3, seed=1)
    assert result.tally(0, 1) == Tally(wins=3 * 4 * 3)
    assert result.games_between(0, 1) == result.games(0) == 12
    assert result.interval(0, 1) == wilson(12, 12)  # meetings within a game do not make it surer


@pytest.mark.parametrize("max_slots", [1, 7, 1000])
def test_short_games_are_not_favoured(max_slots):
    """Player 0 wins exactly the games of one round; counting the first games to end would flatter it."""
    short = Says(0, rule=lambda clock: np.where(clock[:, 1] == 1, 8, 0))
    result = play_matches(lambda n: Race(n, rounds=10), (short, Says(4)), 300, seed=5, max_slots=max_slots)
    share = result.tally(0, 1).share
    assert share == np.mean(result.steps == 1)
    assert abs(share - 0.1) < 0.05  # 600 games: standard error 0.012
    assert result.steps.min() >= 1
    assert result.steps.max() == 10


def test_each_game_has_the_length_of_its_own_slot_and_episode():
    result = play_matches(lambda n: Race(n, rounds=9), (Says(1), Says(2)), 10, seed=3, max_slots=8)
    drawn = [np.random.default_rng([3, g % 8, g // 8]).integers(1, 10) for g in range(10)]
    assert result.steps.tolist() == drawn * 2


def test_every_seat_order_plays_the_same_starts():
    result = play_matches(lambda n: Race(n, rounds=9), (Says(1), Says(2)), 10, seed=3, max_slots=4)
    assert result.start is not None
    assert result.start.tolist() == [*range(10), *range(10)]
    assert result.steps[:10].tolist() == result.steps[10:].tolist()
    assert len(set(result.steps.tolist())) > 1


def test_games_from_one_start_alone_are_counted_as_they_are():
    result = play_matches(lambda n: Race(n, fixed=True), (Says(1), Says(2)), 10, seed=3)
    assert result.start is None
    assert result.effective_games(0, 1) == 20


def test_games_that_the_start_decides_count_once_a_start():
    """Player 0 wins the long games from both seats and loses the short ones, so two games say what one would."""
    moody = Says(0, rule=lambda clock: np.where(clock[:, 1] > 5, 8, 0))
    result = play_matches(lambda n: Race(n, rounds=10), (moody, Says(4)), 200, seed=5)
    assert 200 < result.effective_games(0, 1) < 215
    low, high = result.interval(0, 1)
    wider_low, wider_high = wilson(result.tally(0, 1).score, 400)
    assert low < wider_low < wider_high < high
    assert result.low(0, 1, 0.9) > low


class Variants(Race):
    """Races of two kinds, which change from game to game."""

    variants = ("dry", "wet")

    def _show(self):
        super()._show()
        self.variant = (np.arange(self.num_games) + self.episode) % 2


def test_figures_are_told_by_variant():
    result = play_matches(lambda n: Variants(n, rounds=3), (Says(3), Says(2)), 8, seed=3, max_slots=3)
    number = np.arange(8)
    kinds = (number % 3 + number // 3) % 2
    assert result.variant is not None
    assert result.variant.tolist() == [*kinds, *kinds]
    parts = result.by_variant()
    assert list(parts) == ["dry", "wet"]
    assert parts["dry"].tally(0, 1) == Tally(wins=2 * int((kinds == 0).sum()))
    assert sum(part.num_games for part in parts.values()) == 16
    assert play_matches(Race, (Says(3), Says(2)), 2, seed=3).by_variant() == {}


def test_nobody_is_asked_for_games_that_are_over():
    strong, weak = Says(3), Says(2)
    result = play_matches(lambda n: Race(n, rounds=8), (strong, weak), 20, seed=2)
    assert strong.rows == weak.rows == result.steps.sum()


def test_games_that_run_alike_are_counted_as_one():
    alike = play_matches(lambda n: Race(n, fixed=True), (Says(3), Says(2)), 10, seed=0)
    assert alike.distinct_games == 2  # one for each seat order
    starts = play_matches(lambda n: Race(n, rounds=6), (Says(3), Says(2)), 50, seed=0)
    assert starts.distinct_games == 12
    stream = np.random.default_rng(0)
    drawing = Says(0, rule=lambda clock: stream.integers(0, 9, len(clock)))
    varied = play_matches(lambda n: Race(n, fixed=True), (drawing, Says(2)), 10, seed=0)
    assert varied.distinct_games == 20


def test_marks_do_not_depend_on_the_batch():
    one = play_matches(lambda n: Race(n, rounds=6), (Says(3), Says(2)), 50, seed=0, max_slots=13)
    assert one.distinct_games == 12


def test_returns_are_those_of_fixed_episodes():
    env = Race(40, seats=1, score=True, rounds=7)
    returns = evaluate_returns(env, Says(3), 30, seed=9)
    lengths = [np.random.default_rng([9, game, 0]).integers(1, 8) for game in range(30)]
    assert returns.tolist() == [3.0 * length for length in lengths]
    assert not env.closed
    again = evaluate_returns(Race(4, seats=1, score=True, rounds=7), Says(3), 30, seed=9)
    assert again.tolist() == [
        3.0 * np.random.default_rng([9, g % 4, g // 4]).integers(1, 8) for g in range(30)
    ]


def test_a_game_without_an_end_is_the_envs_fault():
    with pytest.raises(
        EnvContractError, match="race: game 0 did not end within max_steps = 6; let the env cut"
    ):
        play_matches(lambda n: Race(n, forever=True), (Says(1), Says(2)), 2, seed=0)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: play_matches(Race, (Says(1),) * 3, 2, 0),
            "3 players for a game of 2 seats; give at least 2",
        ),
        (lambda: play_matches(Race, (Says(1),), 2, 0), "1 players for a game of 2 seats"),
        (lambda: play_matches(Race, (Says(1),) * 2, 0, 0), "0 games were asked for; play at least 1"),
        (lambda: evaluate_returns(Race(2), Says(1), 2, 0), "race has 2 seats and its players no return"),
        (lambda: evaluate_returns(Race(2, seats=1), Says(1), 0, 0), "0 episodes were asked for"),
    ],
)
def test_wrong_numbers_are_refused(call, sentence):
    with pytest.raises(UsageError, match=sentence):
        call()


def test_a_player_has_no_tally_against_itself():
    result = MatchResult(np.array([[0, 1]]), np.zeros((1, 2), np.float32), np.ones(1, np.int64), 1)
    with pytest.raises(ValueError, match="player 1 does not play against itself"):
        result.tally(1, 1)
    assert result.tally(0, 1) + Tally(2, 3, 4) == Tally(2, 4, 4)


def test_a_shared_first_place_counts_a_half_and_games_in_several_seats_do_not_count():
    seating = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 1]])
    outcome = np.array([[3, 1, 2], [5, 5, 1], [1, 2, 1], [9, 9, 10]], np.float32)
    result = MatchResult(seating, outcome, np.ones(4, np.int64), 4)
    assert result.first_places(0) == 1.5
    assert result.first_places(1) == 1.0
