"""Playing one game to be watched."""

from collections.abc import Callable, Sequence

import numpy as np

from lanista.actions import blank_actions
from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.errors import EnvContractError, UsageError
from lanista.players import Player
from lanista.spec import HeadSpec
from lanista.viewer.recording import GameRecorder, Recording, Viewer


def record_game(
    make_env: Callable[[int], VecEnv],
    viewer: Viewer,
    players: Sequence[Player],
    names: Sequence[str],
    seed: int,
    renderer: str = "env",
) -> Recording:
    """Play one game, player by seat (the last one fills the seats that are left), and record it.

    `viewer` is the env's, or `lanista.viewer.text` with renderer ``"text"``. The players' streams go on.
    """
    env = make_env(1)
    try:
        seats = env.spec.seats
        if not 1 <= len(players) <= seats:
            raise UsageError(f"{len(players)} players for a game of {seats} seats; give 1 to {seats}")
        seated = [min(seat, len(players) - 1) for seat in range(seats)]
        called = [names[player] for player in seated]
        if len(set(called)) < seats:
            called = [f"{name} ({seat})" for seat, name in enumerate(called)] if seats > 1 else called
        env.reset(seed)
        env.final_drawings = {}
        recorder = GameRecorder(viewer, env, 0, called)
        recorder.note()
        for _ in range(env.spec.max_steps):
            actions, told = _choose(env, players, seated)
            env.step(actions)
            if not recorder.note(told):
                return recorder.recording(renderer=renderer)
        raise EnvContractError(
            f"{env.spec.name}: the game did not end within max_steps = {env.spec.max_steps}; let the env cut it "
            "off, or declare the true limit in its spec"
        )
    finally:
        env.close()


def _choose(
    env: VecEnv, players: Sequence[Player], seated: Sequence[int]
) -> tuple[dict[str, AnyArray], list[str]]:
    """The actions of one step, and in words what each seat does."""
    spec = env.spec
    actions = blank_actions(spec, 1, spec.seats)
    heads = {head.name: head for head in spec.heads}
    for name in heads:
        if heads[name].kind == "units":
            actions[name] = np.zeros(len(env.unit_row), np.int64)
    told = [""] * spec.seats
    for number, player in enumerate(players):
        acts = np.array(
            [seat for seat in range(spec.seats) if seated[seat] == number and env.acting[0, seat]]
        )
        if len(acts) == 0:
            continue
        for name, chosen in player.act(env, np.zeros(len(acts), np.int64), acts).items():
            asked = int(np.isin(env.unit_row, acts).sum()) if heads[name].kind == "units" else len(acts)
            if len(chosen) != asked:
                raise UsageError(
                    f"player {type(player).__name__} gave {len(chosen)} choices for head {name!r} of {spec.name}, and "
                    f"{asked} are asked; take a player that is made for this env"
                )
            if heads[name].kind == "units":
                # One seat after another, and within a seat as the env's table of units lists them.
                actions[name][np.isin(env.unit_row, acts)] = chosen
                for seat in acts:
                    told[seat] = f"{name}: {int((env.unit_row == seat).sum())} units"
                continue
            actions[name][0, acts] = chosen
            for seat, action in zip(acts, chosen, strict=True):
                told[seat] = ", ".join(filter(None, (told[seat], _words(heads[name], action))))
    return actions, told


def _words(head: HeadSpec, action: AnyArray) -> str:
    if head.continuous:
        return f"{head.name} {', '.join(f'{number:+.2f}' for number in action.tolist())}"
    return f"{head.name} {int(action)}"
