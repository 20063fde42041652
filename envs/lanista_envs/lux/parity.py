"""Holds our rules against the official program: the same action strings into both, every turn compared whole.

The observation's lines show every number of the state (cells, cooldowns, cargo, fuel, upkeep, roads, research,
resources, and the order of all lists); beside them stand the ids' counters and the end of the game.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from lanista_envs.lux.drivers import DRIVERS
from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.official import EPISODE_STEPS, Observation, Official
from lanista_envs.lux.order_strings import pack_orders, read_orders
from lanista_envs.lux.updates import write_first_updates, write_updates


@dataclass(frozen=True)
class Difference:
    """The first place where two records of a game part."""

    turn: int
    #: "line 17", "globalUnitIDCount", "end of the game"
    field: str
    ours: str
    official: str

    def __str__(self) -> str:
        """Name the turn, the field and both values."""
        return (
            f"turn {self.turn}, {self.field}: ours has {self.ours!r}, the official program {self.official!r}"
        )


@dataclass
class Match:
    """One game in both engines."""

    seed: int
    width: int
    height: int
    drivers: tuple[str, str]
    difference: Difference | None = None
    turns: int = 0
    orders: int = 0
    lines: int = 0
    most_tiles: int = 0
    #: by turn, what the official program said, the start first
    seen: list[Observation] = field(default_factory=list)
    #: by turn, the actions of both teams
    actions: list[tuple[list[str], list[str]]] = field(default_factory=list)

    def __str__(self) -> str:
        """Say which game it was and how it went."""
        result = "equal" if self.difference is None else str(self.difference)
        return (
            f"seed {self.seed} on {self.width} x {self.height}, {self.drivers[0]} against {self.drivers[1]}, "
            f"{self.turns} turns: {result}"
        )


def compare_lines(turn: int, ours: Sequence[str], official: Sequence[str]) -> Difference | None:
    """The first line that differs."""
    if list(ours) == list(official):
        return None
    number = next(
        (k for k, (a, b) in enumerate(zip(ours, official, strict=False)) if a != b),
        min(len(ours), len(official)),
    )
    at = [str(lines[number]) if number < len(lines) else "no more lines" for lines in (ours, official)]
    return Difference(turn, f"line {number + 1}", at[0], at[1])


def compare_state(games: LuxGames, seen: Observation, turn: int) -> Difference | None:
    """Hold game 0 of `games` against what the official program says."""
    write = write_first_updates if turn == 0 else write_updates
    difference = compare_lines(turn, write(0, games.board, games.state), seen.updates)
    if difference is not None:
        return difference
    state = games.state
    for name, own, official in (
        ("globalUnitIDCount", int(state.last_unit_id[0]), seen.last_unit_id),
        ("globalCityIDCount", int(state.last_city_id[0]), seen.last_city_id),
        ("end of the game", bool(state.over[0]), seen.finished),
    ):
        if own != official:
            return Difference(turn, name, str(own), str(official))
    return None


def play_match(
    official: Official, games: LuxGames, seed: int, drivers: tuple[str, str], max_turns: int = EPISODE_STEPS
) -> Match:
    """Play one game of `seed` in both, up to its end, `max_turns` or the first difference."""
    match = Match(seed, games.width, games.height, drivers)
    stream = random.Random(f"{seed} {games.width} {games.height} {drivers}")
    games.start([seed])
    state = games.state
    match.seen.append(official.start(seed, games.width, games.height))
    match.difference = compare_state(games, match.seen[0], 0)
    while match.difference is None and not state.over[0] and match.turns < max_turns:
        actions = tuple(DRIVERS[drivers[team]](0, team, games.board, state, stream) for team in range(2))
        seats = [read_orders(actions[team], 0, team, games.board, state) for team in range(2)]
        games.play(pack_orders(seats), max_turns=EPISODE_STEPS)
        seen = official.step(actions)
        match.seen.append(seen)
        match.turns += 1
        match.actions.append((actions[0], actions[1]))
        match.orders += len(actions[0]) + len(actions[1])
        match.lines += len(seen.updates)
        match.most_tiles = max(match.most_tiles, int(state.num_tiles[0].sum()))
        match.difference = compare_state(games, seen, match.turns)
    return match
