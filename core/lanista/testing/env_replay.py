"""The same games again: repeated, among more or fewer games, with threads, and from a saved state."""

from collections.abc import Callable

import numpy as np

from lanista.actions import random_actions
from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.spec import UNITS
from lanista.testing.complaints import Complaints
from lanista.testing.env_arrays import Arrays, arrays_of
from lanista.testing.env_units import draw_choices, unit_arrays

Play = Callable[[VecEnv, int], dict[str, AnyArray]]


class Chooser:
    """Draws legal actions, each game from a stream of its own, so that game i acts the same whatever N."""

    def __init__(self, num_games: int, seed: int) -> None:
        """One generator a game."""
        self.streams = [np.random.default_rng([seed, game]) for game in range(num_games)]

    def choose(self, env: VecEnv, idle: int = 0) -> dict[str, AnyArray]:
        """Give each head ``[N, S]`` int64: random legal actions where a seat acts, `idle` elsewhere.

        A head of real numbers gets ``[N, S, A]`` float32, one of units ``[U]``, a legal choice for every row.
        """
        seats = env.spec.seats
        actions: dict[str, AnyArray] = {}
        for head in env.spec.heads:
            if head.kind == UNITS:
                actions[head.name] = draw_choices(env, head, self.streams)
                continue
            draws = np.array([stream.random((seats, head.size)) for stream in self.streams])
            chosen = random_actions(head, env.legal.get(head.name), draws)
            acting = env.acting.reshape(*env.acting.shape, *[1] * len(head.action_shape))
            actions[head.name] = np.where(acting, chosen, np.asarray(idle, chosen.dtype))
        return actions


def snapshot(env: VecEnv, games: int) -> Arrays:
    """Copies of what is valid now of the first `games` games; what is not valid is set to 0."""
    shown = {}
    for name, array in arrays_of(env).items():
        copy = array[:games].copy()
        if name.startswith("final_"):
            copy[~env.ended[:games]] = 0
        shown[name] = copy
    return shown | {name: array.copy() for name, array in unit_arrays(env, games).items()}


def play(env: VecEnv, chooser: Chooser, steps: int, games: int, idle: int = 0) -> list[Arrays]:
    """Play on, and give a snapshot before the first step and after each."""
    shown = [snapshot(env, games)]
    for _ in range(steps):
        env.step(chooser.choose(env, idle))
        shown.append(snapshot(env, games))
    return shown


def compare(
    first: list[Arrays], second: list[Arrays], complaints: Complaints, circumstance: str, change: str
) -> None:
    """Complain about the first array that differs."""
    for step, (one, two) in enumerate(zip(first, second, strict=True)):
        for name, array in one.items():
            if array.shape != two[name].shape:
                complaints.complain(name, f"has another length after step {step} {circumstance}", change)
            if not np.array_equal(array, two[name]) and name.startswith("unit_"):
                row = int((array != two[name]).reshape(len(array), -1).any(1).argmax())
                complaints.complain(name, f"of row {row} differs after step {step} {circumstance}", change)
            if not np.array_equal(array, two[name]):
                game = int((array != two[name]).reshape(len(array), -1).any(1).argmax())
                complaints.complain(name, f"of game {game} differs after step {step} {circumstance}", change)


def first_game(env: VecEnv, shown: Arrays) -> Arrays:
    """What a snapshot says of game 0."""
    seats = env.spec.seats
    end = int(shown["unit_offsets"][seats]) if "unit_offsets" in shown else 0
    ends = {name: seats + 1 if name == "unit_offsets" else end for name in shown if name.startswith("unit_")}
    return {name: array[: ends.get(name, 1)] for name, array in shown.items()}


def check_replays(
    env: VecEnv, build: Callable[[int, int], VecEnv] | None, complaints: Complaints, seed: int, steps: int
) -> None:
    """Play the same games under other circumstances; `build` makes an env of (games, threads)."""
    n = env.num_games

    def record(which: VecEnv, games: int, idle: int = 0) -> list[Arrays]:
        which.reset(seed)
        return play(which, Chooser(which.num_games, seed), steps, games, idle)

    truth = record(env, n)
    compare(
        truth, record(env, n), complaints, "though seed and actions are the same",
        "reset must bring back everything, the streams and counters included",
    )  # fmt: skip
    compare(
        truth, record(env, n, idle=10**6), complaints, "when only actions of seats that do not act differ",
        "ignore actions where acting was False",
    )  # fmt: skip
    if build is None:
        return
    own = "draw from a stream of (seed, game, episode), shared by no other game"
    compare(truth, record(build(n, 1), n), complaints, "in an env built anew", own)
    compare(truth, record(build(n + 3, 1), n), complaints, f"among {n + 3} games instead of {n}", own)
    fewer = [first_game(env, shown) for shown in truth]
    compare(fewer, record(build(1, 1), 1), complaints, f"alone instead of among {n}", own)
    compare(truth, record(build(n, 2), n), complaints, "with two threads instead of one", own)


def check_saving(
    env: VecEnv, build: Callable[[int, int], VecEnv] | None, complaints: Complaints, seed: int, steps: int
) -> None:
    """Save in the middle, go on, load, go on again: bit for bit the same, in this env and in a new one."""
    n = env.num_games
    env.reset(seed)
    play(env, Chooser(n, seed), steps, n)
    saved = env.save()
    kept = {name: np.array(array, copy=True) for name, array in saved.items()}
    shown = play(env, Chooser(n, seed + 1), steps, n)
    for name, array in saved.items():
        complaints.refuse(
            not np.array_equal(array, kept[name]), f"save()[{name!r}]", "changes when the env steps on",
            "give copies of the arrays",
        )  # fmt: skip
    change = "save and load everything: games, streams, counters and the exposed arrays"
    env.load(saved)
    compare(shown, play(env, Chooser(n, seed + 1), steps, n), complaints, "after load", change)
    if build is not None:
        other = build(n, 1)
        other.reset(seed + 2)
        other.load(saved)
        again = play(other, Chooser(n, seed + 1), steps, n)
        compare(shown, again, complaints, "after load into another env", change)
