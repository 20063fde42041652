"""The judging environment: a small virtual environment of its own in which kaggle-environments plays.

`find_judge` looks it up, `create_judge` makes it (``make install`` and ``lanista doctor --fix`` call it), and
`play_games` plays games in it. Only child processes enter it; lanista itself never imports what is in there.
"""

from lanista_submission.judge.creation import create_judge
from lanista_submission.judge.environment import Judge, NoJudgeError, find_judge, judge_folder, pinned_version
from lanista_submission.judge.games import GameJob, GameResult, Player, play_games

__all__ = [
    "GameJob",
    "GameResult",
    "Judge",
    "NoJudgeError",
    "Player",
    "create_judge",
    "find_judge",
    "judge_folder",
    "pinned_version",
    "play_games",
]
