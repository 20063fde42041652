"""What the Lux tests share: recorded official games, boards drawn by hand, and the official program if it is here."""

from pathlib import Path

import numpy as np
import pytest

from lanista.judge import NoJudgeError, find_judge
from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.official import NoOfficialError, Official, find_program
from lanista_envs.lux.updates import read_updates


@pytest.fixture(scope="session")
def record():
    """The arrays that record_lux_games.py wrote."""
    with np.load(Path(__file__).parent / "lux_games.npz", allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture(scope="session")
def official():
    """The official program; the test is skipped where it cannot run."""
    try:
        with Official(find_program(find_judge().python)) as program:
            yield program
    except (NoOfficialError, NoJudgeError) as error:
        pytest.skip(str(error))


@pytest.fixture
def position():
    """A game of one board from lines without their end: ``position(lines, turn=0, side=12)``."""

    def make(lines, turn=0, side=12, **ids):
        games = LuxGames(1, side)
        read_updates([*lines, "D_DONE"], turn, 0, games.board, games.state, **ids)
        return games

    return make
