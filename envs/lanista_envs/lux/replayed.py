"""Kaggle's replays as games to learn from: what each seat saw before its orders, and the choices that these mean.

An order becomes the choice that comes nearest to it (`choices.read_order`): a transfer is one of everything, to whoever
has the most room on that side. A unit without an order chooses nothing, and so does one whose order the masks forbid: the
rules drop those. Of several orders for one unit the first counts.
"""

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from lanista.arrays import AnyArray
from lanista.games.kept_games import KeptGame
from lanista.kernels import compile_kernels
from lanista.spec import INSIDE, EnvSpec
from lanista_envs.kaggle.replay_files import player_names, read_record
from lanista_envs.lux import planes, sights, updates, window
from lanista_envs.lux.choices import NOTHING, TILE, read_order
from lanista_envs.lux.codec import Desk
from lanista_envs.lux.maps import seeds_of
from lanista_envs.lux.order_strings import read_orders
from lanista_envs.lux.replay import ENVIRONMENT, Replay, ReplayError, take_apart
from lanista_envs.lux.settings import LuxS1Settings
from lanista_envs.lux.spec import FEATURES, HEAD, KNOWS, PLANES, WINDOW
from lanista_envs.lux.state import BUILD_WORKER, SUBJECT
from lanista_envs.lux.table import count_rows
from lanista_envs.lux.unit_rows import NUM_FEATURES


@cache
def _kernels() -> SimpleNamespace:
    """What a seat sees, compiled."""
    entries = ("survey_game", "look_for_rows", "write_rows", "write_planes")
    return compile_kernels(sights, planes, label="lux_s1 replays", entries=entries)


def read_game(file: Path, settings: LuxS1Settings, spec: EnvSpec) -> KeptGame | None:
    """Read a replay; None if it broke off, is of another board, length or set of maps; raises `ReplayError`."""
    record = read_record(file)
    if record.get("name", ENVIRONMENT) != ENVIRONMENT:
        return None
    try:
        replay = take_apart(record)
    except ReplayError as error:
        raise ReplayError(f"{file} is no replay of {ENVIRONMENT}: {error}") from error
    if not replay.finished or replay.width != replay.height or replay.width not in settings.boards:
        return None
    if (
        replay.seed is not None
        and replay.seed in seeds_of("all")
        and replay.seed not in seeds_of(settings.maps)
    ):
        return None
    if replay.episode_steps - 1 != settings.max_turns:
        return None
    try:
        return _game(replay, player_names(record, 2), settings, spec)
    except updates.UpdatesError as error:
        raise ReplayError(f"{file} shows no game of {spec.name}: {error}") from error


def _game(replay: Replay, players: tuple[str, ...], settings: LuxS1Settings, spec: EnvSpec) -> KeptGame:
    desk = Desk(replay.width, replay.height)
    shown = [part.name for part in (*spec.observation, *spec.unit_observation)]
    columns: dict[str, list[AnyArray]] = {}
    counts: list[int] = []
    for turn, actions in enumerate(replay.actions):
        updates.read_updates(replay.updates[turn], turn, 0, desk.board, desk.games)
        for seat in range(2):
            found = _decision(desk, seat, actions[seat], settings.max_turns, shown)
            _fill_up(found, replay.width, settings.largest)
            counts.append(len(found["legal"]))
            for name, array in found.items():
                columns.setdefault(name, []).append(array)
    updates.read_updates(replay.updates[-1], len(replay.actions), 0, desk.board, desk.games)
    arrays = {name: np.concatenate(parts) for name, parts in columns.items()}
    outcome = _outcome(desk)
    steps = len(replay.actions)
    reward = np.zeros((steps, 2), np.float32)
    reward[-1] = outcome
    return KeptGame(
        players=players,
        outcome=outcome,
        truncated=np.zeros(2, np.bool_),
        acting=np.ones((steps, 2), np.bool_),
        random=np.zeros((steps, 2), np.bool_),
        reward=reward,
        observation={part.name: arrays[part.name] for part in spec.observation},
        legal={},
        action={HEAD: arrays["action"]},
        units={
            "offsets": np.concatenate([np.zeros(1, np.int64), np.cumsum(np.array(counts, np.int64))]),
            **{name: arrays[name] for name in ("cell", "kind", "legal")},
            **{f"observation.{part.name}": arrays[part.name] for part in spec.unit_observation},
        },
    )


def _decision(
    desk: Desk, seat: int, orders: list[str], max_turns: int, shown: list[str]
) -> dict[str, AnyArray]:
    """What a seat sees now and what its orders mean: parts ``[1, ...]``, and columns of its units ``[U, ...]``."""
    board, games, room, kernels = desk.board, desk.games, desk.sights, _kernels()
    num_features = NUM_FEATURES if FEATURES in shown else 0
    kernels.survey_game(0, max_turns, board, games, room)
    if num_features > 0:
        kernels.look_for_rows(0, max_turns, board, games, room)
    rows = sights.make_table(count_rows(0, seat, games), num_features)
    kernels.write_rows(0, seat, 0, board, games, room, rows)
    knows = room.knows[seat].copy()
    chosen: dict[tuple[bool, int], int] = {}
    for order in read_orders(orders, 0, seat, board, games):
        of_tile = order[0] >= BUILD_WORKER
        choice = read_order(0, seat, np.array(order, np.int16), board, games)
        chosen.setdefault((of_tile, order[SUBJECT]), choice)
    who = zip((rows.kind == TILE).tolist(), rows.slot.tolist(), strict=True)
    action = np.array([chosen.get(unit, NOTHING) for unit in who], np.int64)
    found: dict[str, AnyArray] = {
        KNOWS: knows[None],
        "cell": rows.cell,
        "kind": rows.kind,
        "legal": rows.legal,
        "action": np.where(rows.legal[np.arange(len(action)), action], action, NOTHING),
    }
    if num_features:
        found[FEATURES] = rows.features
        found[WINDOW] = rows.windows.view(np.int8).reshape(-1, window.NUM_CELLS, window.NUM_CHANNELS)
    if PLANES in shown:
        drawn = np.zeros((planes.NUM_PLANES, board.width * board.height), np.uint8)
        kernels.write_planes(0, seat, board, games, drawn)
        found[PLANES] = drawn.reshape(1, planes.NUM_PLANES, board.height, board.width)
    if INSIDE in shown:
        found[INSIDE] = np.ones((1, 1, board.height, board.width), np.uint8)
    return found


def _fill_up(found: dict[str, AnyArray], side: int, largest: int) -> None:
    """Put a board of `side` x `side` into the north-west corner of one of the largest size."""
    for name in {PLANES, INSIDE} & found.keys() if side < largest else ():
        board = found[name]
        found[name] = np.zeros((*board.shape[:2], largest, largest), board.dtype)
        found[name][:, :, :side, :side] = board
    found["cell"] = found["cell"] // side * largest + found["cell"] % side


def _outcome(desk: Desk) -> AnyArray:
    """``[2]``: more city tiles win, then more units, else it is a draw."""
    games = desk.games
    lead = 0
    for held in (games.num_tiles, games.num_units):
        lead = lead or int(np.sign(int(held[0, 0]) - int(held[0, 1])))
    return np.array([lead, -lead], np.float32)
