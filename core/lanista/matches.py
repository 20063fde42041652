"""Whole games between players on a batched env, so counted that no seat and no short game is favoured.

1. Every seat order is played equally often: the players in their order and all rotations of it. Each plays the same
   starts, maps for example: the env is reset to the same seed, and a game is a stream of (seed, game, episode).
2. Game g of an order is episode ``g // slots`` of slot ``g % slots``: which games count is fixed before the first step.
   Counting the games that end first would favour the short ones.
3. A step asks each player once, for all its rows over all games. A slot whose games are over takes any legal
   action; no player is asked for it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lanista.actions import action_words, blank_actions, first_actions
from lanista.arrays import AnyArray, BoolArray, FloatArray, IntArray
from lanista.env import VecEnv
from lanista.errors import EnvContractError, UsageError
from lanista.intervals import effective_games, lower_bound, wilson
from lanista.players import Player
from lanista.seeds import derive_seed
from lanista.shares import returns_of_shares


@dataclass(frozen=True)
class Tally:
    """Games of one side against another, from the first one's point of view."""

    wins: int = 0
    draws: int = 0
    losses: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Count both."""
        return Tally(self.wins + other.wins, self.draws + other.draws, self.losses + other.losses)

    @property
    def games(self) -> int:
        """All games counted."""
        return self.wins + self.draws + self.losses

    @property
    def score(self) -> float:
        """Wins + half the draws."""
        return self.wins + self.draws / 2.0

    @property
    def share(self) -> float:
        """The score a game, 0..1; a half where no game was played."""
        return self.score / self.games if self.games else 0.5

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Wilson's interval of the share, a draw being half a win."""
        return wilson(self.score, self.games, confidence)

    def undecided(self, confidence: float = 0.95) -> bool:
        """Whether these games are not enough to tell who is the stronger."""
        low, high = self.interval(confidence)
        return low <= 0.5 <= high


@dataclass(frozen=True)
class MatchResult:
    """G counted games, in the order of their numbers (all games of the first seat order first)."""

    #: ``[G, S]`` index of the player in each seat
    seating: IntArray
    #: ``[G, S]`` official outcome of each seat
    outcome: FloatArray
    #: ``[G]`` env steps that the game lasted
    steps: IntArray
    #: games that differ in their first observation or in any action taken; players that draw nothing from a
    #: fixed start play one game per seat order again and again
    distinct_games: int
    #: ``[G]``: games of one number had the same start, each in another seat order; None: all starts are alike, or unknown
    start: IntArray | None = None
    #: the env's (`VecEnv.variants`), and ``[G]`` which of them each game was
    variants: tuple[str, ...] = ()
    variant: IntArray | None = None

    @property
    def num_games(self) -> int:
        """All games counted, whoever played."""
        return len(self.outcome)

    def against_all(self, player: int) -> Tally:
        """Count `player` against every other one."""
        others = set(self.seating.ravel().tolist()) - {player}
        return sum((self.tally(player, other) for other in sorted(others)), Tally())

    def score(self, player: int) -> float:
        """The share 0..1 of the points that `player` won of all others, a draw being half."""
        return self.against_all(player).share

    def games(self, player: int) -> int:
        """How many games `player` took part in: what stands behind its score."""
        return int((self.seating == player).any(axis=1).sum())

    def games_between(self, player: int, opponent: int) -> int:
        """How many games both took part in; where one fills several seats these have more meetings."""
        return int(((self.seating == player).any(axis=1) & (self.seating == opponent).any(axis=1)).sum())

    def first_places(self, player: int) -> float:
        """In how many games `player` came first, where it fills one seat; a shared first place counts a half."""
        games = (self.seating == player).sum(axis=1) == 1
        own = np.where(self.seating == player, self.outcome, -np.inf)[games].max(axis=1)
        others = np.where(self.seating == player, -np.inf, self.outcome)[games].max(axis=1)
        return float((own > others).sum() + 0.5 * (own == others).sum())

    def interval(self, player: int, opponent: int, confidence: float = 0.95) -> tuple[float, float]:
        """Wilson's interval of the share, over games: meetings within one game are not independent, nor are games that had
        one start (`lanista.intervals.effective_games`).
        """
        games = self.effective_games(player, opponent)
        return wilson(self.tally(player, opponent).share * games, games, confidence)

    def low(self, player: int, opponent: int, confidence: float = 0.95) -> float:
        """What the true share exceeds with `confidence`, counted as `interval` counts."""
        games = self.effective_games(player, opponent)
        return lower_bound(self.tally(player, opponent).share * games, games, confidence)

    def effective_games(self, player: int, opponent: int) -> float:
        """How many independent games those between two players are worth: their number, where starts are not known."""
        games = self.games_between(player, opponent)
        if self.start is None or games == 0:
            return games
        starts, place, repeats = np.unique(self.start, return_inverse=True, return_counts=True)
        if games < self.num_games or np.ptp(repeats):
            return games
        points = np.zeros((len(starts), int(repeats[0])), np.float32)
        order = np.argsort(place, kind="stable")
        points.reshape(-1)[:] = self._points(player, opponent)[order]
        return effective_games(points.tolist())

    def _points(self, player: int, opponent: int) -> FloatArray:
        """``[G]``: `player`'s share of the points in each game, over its meetings with `opponent`."""
        mine, theirs = self.seating == player, self.seating == opponent
        meet = mine[:, :, None] & theirs[:, None, :]
        points = 0.5 + 0.5 * np.sign(self.outcome[:, :, None] - self.outcome[:, None, :])
        share: FloatArray = (points * meet).sum(axis=(1, 2)) / meet.sum(axis=(1, 2))
        return share

    def by_variant(self) -> "dict[str, MatchResult]":
        """The games of each variant that was played, by its name; empty where all games are alike."""
        if self.variant is None:
            return {}
        found = {}
        for place, name in enumerate(self.variants):
            games = self.variant == place
            if games.any():
                found[name] = MatchResult(
                    self.seating[games], self.outcome[games], self.steps[games], int(games.sum()),
                    None if self.start is None else self.start[games],
                )  # fmt: skip
        return found

    def tally(self, player: int, opponent: int, seat: int | None = None) -> Tally:
        """Count `player` against `opponent`: in each game every seat of one meets every seat of the other.

        The higher official outcome wins, equal ones draw. `seat` counts only games with `player` in it.
        """
        if player == opponent:
            raise ValueError(f"player {player} does not play against itself; name two players")
        wins = draws = losses = 0
        for mine in range(self.seating.shape[1]) if seat is None else (seat,):
            for theirs in range(self.seating.shape[1]):
                met = (self.seating[:, mine] == player) & (self.seating[:, theirs] == opponent)
                margin = self.outcome[met, mine] - self.outcome[met, theirs]
                wins += int((margin > 0).sum())
                draws += int((margin == 0).sum())
                losses += int((margin < 0).sum())
        return Tally(wins, draws, losses)


def seat_orders(num_players: int, seats: int) -> IntArray:
    """Give ``[S, S]``: who sits where in each order; the last player fills the seats that are left over.

    The orders are the rotations of one another, so each player sits in every seat equally often.
    """
    if not 2 <= num_players <= seats:
        raise UsageError(
            f"{num_players} players for a game of {seats} seats; give at least 2 and at most one a seat"
            + (" (one player alone is evaluated by its return)" if seats == 1 else "")
        )
    line = np.minimum(np.arange(seats), num_players - 1)
    return np.stack([np.roll(line, turn) for turn in range(seats)]).astype(np.int64)


def play_matches(
    make_env: Callable[[int], VecEnv],
    players: Sequence[Player],
    num_games: int,
    seed: int,
    max_slots: int = 1024,
) -> MatchResult:
    """Play `num_games` in every seat order; `make_env(n)` gives an env of n games, closed here.

    All seat orders play the same starts. At most `max_slots` games are in play at once. The players' own streams go on from
    where they are.
    """
    if num_games < 1:
        raise UsageError(f"{num_games} games were asked for; play at least 1 in each seat order")
    env = make_env(min(num_games, max_slots))
    try:
        orders = seat_orders(len(players), env.spec.seats)
        marks = _Marks(env, seed)
        played = [_play(env, players, np.tile(order, (num_games, 1)), seed, marks) for order in orders]
    finally:
        env.close()
    return MatchResult(
        seating=np.concatenate([part.seating for part in played]),
        outcome=np.concatenate([part.outcome for part in played]),
        steps=np.concatenate([part.steps for part in played]),
        distinct_games=len(np.unique(np.concatenate([part.marks for part in played]))),
        start=np.tile(np.arange(num_games), len(orders)) if _starts_differ(played) else None,
        variants=env.variants,
        variant=np.concatenate([part.variant for part in played]) if env.variants else None,
    )


def evaluate_returns(env: VecEnv, player: Player, num_episodes: int, seed: int) -> FloatArray:
    """Give the official returns ``[num_episodes]`` of a player alone: the first episodes of every game.

    Resets `env`; with fewer games than episodes each game plays its fixed share of them.
    """
    if env.spec.seats != 1:
        raise UsageError(
            f"{env.spec.name} has {env.spec.seats} seats and its players no return; play matches instead"
        )
    if num_episodes < 1:
        raise UsageError(f"{num_episodes} episodes were asked for; evaluate at least 1")

    def returns(part: VecEnv, asked: Player, episodes: int) -> FloatArray:
        return _play(part, (asked,), np.zeros((episodes, 1), np.int64), seed, None).outcome[:, 0]

    if len(env.shares) > 1 and getattr(player, "stateless", False):
        return returns_of_shares(env, player, num_episodes, returns)
    return returns(env, player, num_episodes)


@dataclass(frozen=True)
class _Played:
    """Games by their numbers: as in `MatchResult`, and a mark each (zeros where none were asked for)."""

    seating: IntArray
    outcome: FloatArray
    steps: IntArray
    variant: IntArray
    #: of the first observation, and of that and all actions
    starts: npt.NDArray[np.uint64]
    marks: npt.NDArray[np.uint64]


def _starts_differ(played: "Sequence[_Played]") -> bool:
    """Did the orders see the same starts, and not one start again and again (which no game shares with another)?"""
    first = played[0].starts
    return len(np.unique(first)) > 1 and all(np.array_equal(part.starts, first) for part in played)


def _play(
    env: VecEnv, players: Sequence[Player], seating: IntArray, seed: int, marks: "_Marks | None"
) -> _Played:
    """Play the games of `seating` (``[G, S]``) on env's slots; the step loop has no Python per game."""
    total, seats = seating.shape
    slots = env.num_games
    env.reset(seed)
    outcome = np.zeros((total, seats), np.float32)
    steps = np.zeros(total, np.int64)
    game_marks, starts = np.zeros(total, np.uint64), np.zeros(total, np.uint64)
    variant = np.zeros(total, np.int64)
    # What each slot plays now; a slot without a game left keeps the number it would have next, >= total.
    game = np.arange(slots)
    begun = np.zeros(slots, np.int64)
    counted = game < total
    seated = seating[np.minimum(game, total - 1)]
    if env.variants:
        variant[game[counted]] = env.variant[counted]
    if marks:
        marks.begin(game)
        starts[game[counted]] = marks.running[counted]
    actions = blank_actions(env.spec, slots, seats)
    units = next((head.name for head in env.spec.heads if head.kind == "units"), None)
    open_games = int(counted.sum())
    last_step = env.spec.max_steps * -(-total // slots)
    step = 0
    while open_games:
        if step >= last_step:
            raise EnvContractError(
                f"{env.spec.name}: game {int(np.flatnonzero(counted)[0])} did not end within max_steps = "
                f"{env.spec.max_steps}; let the env cut it off, or declare the true limit in its spec"
            )
        acting = env.acting
        if units is not None:
            # The units of slots that are idle take their first legal choice.
            actions[units] = env.unit_legal.argmax(axis=1)
        if open_games < slots:
            _idle(env, ~counted, actions)
            acting = acting & counted[:, None]
        for number, player in enumerate(players):
            rows = acting if len(players) == 1 else acting & (seated == number)
            games, at = np.nonzero(rows)
            if games.size:
                for name, chosen in player.act(env, games, at).items():
                    if name == units:
                        # One seat after another, and within a seat as the env's table of units lists them.
                        actions[name][rows.reshape(-1)[env.unit_row]] = chosen
                    else:
                        actions[name][games, at] = chosen
        if marks:
            marks.take(actions)
        env.step(actions)
        step += 1
        over = np.flatnonzero(env.ended & counted)
        if over.size:
            numbers = game[over]
            outcome[numbers] = env.outcome[over]
            steps[numbers] = step - begun[over]
            game[over] += slots
            begun[over] = step
            counted = game < total
            seated[over] = seating[np.minimum(game[over], total - 1)]
            open_games = int(counted.sum())
            fresh = over[counted[over]]
            if env.variants:
                variant[game[fresh]] = env.variant[fresh]
            if marks:
                game_marks[numbers] = marks.running[over]
                marks.begin(over)
                starts[game[fresh]] = marks.running[fresh]
    return _Played(seating, outcome, steps, variant, starts, game_marks)


def _idle(env: VecEnv, idle: BoolArray, actions: dict[str, AnyArray]) -> None:
    """Give slots whose games are over a valid action, since an env may refuse any other."""
    seats = env.spec.seats
    for head in env.spec.heads:
        if head.kind == "units":
            continue
        mask = env.legal.get(head.name)
        legal = None if mask is None else mask[idle].reshape(-1, head.size)
        chosen = first_actions(head, legal, int(idle.sum()) * seats)
        actions[head.name][idle] = chosen.reshape(-1, seats, *head.action_shape)


class _Marks:
    """A 64-bit number a game, of its first observation and every action taken: equal games, equal marks.

    Integer arithmetic modulo 2**64, so that a mark depends neither on the batch nor on rounding.
    """

    def __init__(self, env: VecEnv, seed: int) -> None:
        self.env = env
        rng = np.random.default_rng(derive_seed(seed, "marks"))

        def odd(count: int) -> npt.NDArray[np.uint64]:
            return rng.integers(0, 2**63, count, dtype=np.uint64) * np.uint64(2) + np.uint64(1)

        self.parts = {name: odd(part[0].nbytes) for name, part in env.observation.items()}
        # One number for each of a head's, which is one for a choice.
        self.heads = [(head, odd(env.spec.seats * math.prod(head.action_shape))) for head in env.spec.heads]
        self.shift = odd(1)
        #: ``[N]`` mark of the game that each slot plays
        self.running = np.zeros(env.num_games, np.uint64)

    def begin(self, slots: IntArray) -> None:
        """Mark games that have just begun by their first observation."""
        mark = np.zeros(len(slots), np.uint64)
        for name, weights in self.parts.items():
            rows = np.ascontiguousarray(self.env.observation[name][slots]).reshape(len(slots), -1)
            mark += rows.view(np.uint8) @ weights
        self.running[slots] = mark

    def take(self, actions: dict[str, AnyArray]) -> None:
        """Follow the actions of the seats that act now; call it before the env steps."""
        self.running *= self.shift
        acting = self.env.acting[..., None]
        for head, weights in self.heads:
            if head.kind == "units":
                np.add.at(
                    self.running,
                    self.env.unit_row // self.env.spec.seats,
                    self._unit_words(actions[head.name]),
                )
                continue
            taken = np.where(acting, action_words(head, actions[head.name]), np.uint64(0))
            self.running += taken.reshape(len(taken), -1) @ weights

    def _unit_words(self, chosen: AnyArray) -> npt.NDArray[np.uint64]:
        """A number for each unit, of its seat, its place in the seat's list and its choice (splitmix64)."""
        row, offsets = self.env.unit_row, self.env.unit_offsets
        place = (np.arange(len(row)) - offsets[row]) * self.env.spec.seats + row % self.env.spec.seats
        word = (place.astype(np.uint64) << np.uint64(16)) + chosen.astype(np.uint64) + self.shift
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: npt.NDArray[np.uint64] = word ^ (word >> np.uint64(31))
        return mixed
