"""What must hold of a scripted player: legal actions for the rows that it is asked for, and a state that goes on."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lanista.actions import units_of_rows
from lanista.arrays import AnyArray, BoolArray, IntArray
from lanista.env import VecEnv
from lanista.players import Player
from lanista.plugins import Registry
from lanista.testing.complaints import Complaints
from lanista.testing.env_replay import Chooser
from lanista.testing.grounds import build_env, envs_for, settings_of

STEPS = 60


def check_player(
    registry: Registry, name: str, *, options: Mapping[str, Any] | None = None, env: str | None = None
) -> None:
    """Raise `LanistaError`, one sentence, for the first thing in which a player breaks its contract.

    It is tried in `env`, else in each env that its trait `envs` names, else in the first that is at hand.
    """
    entry = registry.get("players", name)
    complaints = Complaints.about(entry)
    settings = settings_of(registry, "players", name, options)
    factory = registry.load("players", name)
    named = entry.traits.get("envs")
    if env is None and named is not None:
        grounds: list[tuple[str, dict[str, Any]]] = [(one, {}) for one in named]
    else:
        grounds = list(envs_for(registry, entry, env))[:2]
    for env_name, env_options in grounds:
        ground = build_env(registry, env_name, env_options, 6)
        try:
            _check_in(ground, factory, settings, complaints)
        finally:
            ground.close()


def _check_in(env: VecEnv, factory: Any, settings: Any, complaints: Complaints) -> None:  # noqa: ANN401
    player: Player = factory(env.spec, settings, 3)
    chooser = Chooser(env.num_games, 5)
    units = None if env.spec.units_head is None else env.spec.units_head.name
    for step in range(STEPS):
        games, seats = np.nonzero(env.acting)
        if step % 3 == 1:  # a few rows only, as where other players hold the rest
            games, seats = games[::2], seats[::2]
        if step == STEPS // 2:
            _check_state(env, player, factory(env.spec, settings, 4), games, seats, complaints)
        chosen = player.act(env, games, seats)
        _check_actions(env, chosen, games, seats, complaints)
        actions = chooser.choose(env)
        for head, values in chosen.items():
            at = units_of_rows(env, games * env.spec.seats + seats) if head == units else (games, seats)
            actions[head][at] = values
        env.step(actions)


def _check_actions(env: VecEnv, chosen: Any, games: Any, seats: Any, complaints: Complaints) -> None:  # noqa: ANN401
    heads = {head.name: head for head in env.spec.heads}
    complaints.refuse(
        not isinstance(chosen, dict) or set(chosen) != set(heads), "act",
        f"gave {sorted(chosen) if isinstance(chosen, dict) else type(chosen).__name__}",
        f"give an array for each head of {env.spec.name}: {', '.join(heads)}",
    )  # fmt: skip
    for name, head in heads.items():
        values, wanted = np.asarray(chosen[name]), (len(games), *head.action_shape)
        field = f"act, head {name!r} in {env.spec.name},"
        if head.units:
            _check_choices(env, values, units_of_rows(env, games * env.spec.seats + seats), field, complaints)
            continue
        complaints.refuse(
            values.shape != wanted, field, f"has the shape {values.shape}", f"asked is [B] = {wanted}"
        )
        complaints.refuse(
            values.dtype.kind != ("f" if head.continuous else "i"), field, f"has the dtype {values.dtype}",
            f"give {head.action_dtype}",
        )  # fmt: skip
        if head.continuous:
            wrong = ~((values >= np.array(head.low)) & (values <= np.array(head.high))).all(axis=1)
        else:
            inside = (values >= 0) & (values < head.size)
            wrong = ~inside
            wrong[inside] = ~env.legal[name][games[inside], seats[inside], values[inside]]
        if wrong.any():
            row = int(wrong.argmax())
            complaints.complain(
                field, f"chose {values[row]} where it is illegal (game {int(games[row])}, seat {int(seats[row])})",
                f"choose where env.legal[{name!r}][games, seats] is True",
            )  # fmt: skip


def _check_choices(
    env: VecEnv, values: AnyArray, asked: BoolArray, field: str, complaints: Complaints
) -> None:
    """A legal choice for each of the units that are `asked` (``[U]``)."""
    units = np.flatnonzero(asked)
    complaints.refuse(
        values.shape != units.shape, field, f"has the shape {values.shape}",
        f"asked is a choice for each unit of the rows, [U] = {units.shape}, in the order of the table of units",
    )  # fmt: skip
    complaints.refuse(values.dtype.kind != "i", field, f"has the dtype {values.dtype}", "give int64")
    wrong = (values < 0) | (values >= env.unit_legal.shape[1])
    wrong |= ~env.unit_legal[units, np.where(wrong, 0, values)]
    if wrong.any():
        unit = int(wrong.argmax())
        complaints.complain(
            field, f"chose {values[unit]} where it is illegal (row {int(units[unit])} of the table of units)",
            "choose where env.unit_legal is True",
        )  # fmt: skip


def _check_state(
    env: VecEnv,
    player: Player,
    other: Player,
    games: IntArray,
    seats: IntArray,
    complaints: Complaints,
) -> None:
    """A second player that is given the state must choose as the first."""
    state = player.state()
    complaints.refuse(
        not isinstance(state, dict) or not all(isinstance(array, np.ndarray) for array in state.values()), "state",
        f"gave {type(state).__name__}", "give a dictionary of arrays; {} if there is nothing to remember",
    )  # fmt: skip
    kept: dict[str, AnyArray] = {name: np.array(array) for name, array in state.items()}
    first = player.act(env, games, seats)
    other.load_state({name: np.array(array) for name, array in kept.items()})
    second = other.act(env, games, seats)
    same = first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)
    complaints.refuse(
        not same, "state", "is not all that goes on: another player that loaded it chose differently",
        "put every generator's state and counter into it and take them back in load_state",
    )  # fmt: skip
    player.load_state(kept)
