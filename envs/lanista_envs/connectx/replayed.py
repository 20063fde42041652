"""Kaggle's replays of Connect X as games to learn from."""

from pathlib import Path

from lanista.codec import Codec
from lanista.games.kept_games import KeptGame
from lanista.spec import EnvSpec
from lanista_envs.connectx import codec
from lanista_envs.connectx.settings import ConnectXSettings
from lanista_envs.kaggle.replay_files import game_of, read_record


def read_game(file: Path, settings: ConnectXSettings, spec: EnvSpec) -> KeptGame | None:
    """Read a replay; None for one of another game or board, or that broke off."""
    record = read_record(file)
    board = {"rows": settings.rows, "columns": settings.columns, "inarow": settings.inarow}
    configuration = record.get("configuration")
    if record.get("name") != "connectx" or not isinstance(configuration, dict):
        return None
    if any(configuration.get(key) != number for key, number in board.items()):
        return None
    return game_of(file, record, Codec(codec, "lanista_envs.connectx.codec"), spec)
