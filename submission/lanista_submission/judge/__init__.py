"""The judging environment at work: `create_judge` makes it (``make install`` and ``lanista doctor --fix`` call it),
and `play_games` plays games in it. `lanista.judge` finds it.
"""

from lanista_submission.judge.creation import create_judge
from lanista_submission.judge.games import GameJob, GameResult, Player, kaggle_command, play_games
from lanista_submission.judge.pins import pinned_version

__all__ = [
    "GameJob",
    "GameResult",
    "Player",
    "create_judge",
    "kaggle_command",
    "pinned_version",
    "play_games",
]
