"""Plays games of kaggle-environments as it is and quickened, and says whether every state is the same.

Run by the judging environment's Python: ``python -I play_both_ways.py FOLDER_OF_QUICKEN GAME SEATS GAMES``.
"""

import json
import random
import sys

import kaggle_environments
from kaggle_environments import core

folder, name, seats, games = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
sys.path.insert(0, folder)
from quicken import quicken  # noqa: E402

validated = core.process_schema


def actions(environment, rng):
    """Any actions that the schema knows, now and then one that it does not."""
    action = environment.specification.action
    low, high = action.get("minimum", 0), action.get("maximum", 6)
    choices = list(action.get("enum") or range(low, high + 1))
    if rng.random() < 0.02:
        choices = ["no such action", None, -5, 1.5, [1], 10**9]
    return [rng.choice(choices) if state.status == "ACTIVE" else None for state in environment.state]


def play():
    told = []
    for game in range(games):
        random.seed(game)
        rng = random.Random(game)
        environment = kaggle_environments.make(name)
        environment.reset(seats)
        named = sorted(environment.agents) if game % 2 else []
        if named:  # the environment's own agents, in its own runner
            told.append(
                [[dict(s) for s in step] for step in environment.run([named[game % len(named)]] * seats)]
            )
            continue
        while not environment.done:
            environment.step(actions(environment, rng))
        told.append([[dict(s) for s in step] for step in environment.steps])
    return told


first = play()
quicken()
assert core.process_schema is not validated
second = play()


def text(told):
    return json.dumps(
        [
            [
                [{**s, "observation": {**s["observation"], "remainingOverageTime": 0}} for s in step]
                for step in game
            ]
            for game in told
        ],
        default=str,
    )


statuses = sorted({s["status"] for game in first for s in game[-1]})
print(json.dumps({"same": text(first) == text(second), "steps": sum(map(len, first)), "statuses": statuses}))
