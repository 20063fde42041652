"""Plays Lux games in kaggle-environments, one seat answered from outside; `lux_official_games.py` runs it.

The judge's Python runs this file. Each line on stdin begins a game: ``{"seed": 3, "size": 12, "seat": 1}``; the other
seat is `simple_agent`. For every turn a line ``{"updates": [...], "step": 0}`` goes out and a line with the action
strings comes in. After the last turn ``{"rewards", "statuses", "updates", "theirs"}`` goes out: how the game ended,
the last observation, and the action strings of `simple_agent`, turn by turn.
"""

import json
import os
import sys

# The environment swaps sys.stdout while an agent plays.
OUT = os.fdopen(os.dup(1), "w")


def say(message: object) -> None:
    """Send one line."""
    OUT.write(json.dumps(message) + "\n")
    OUT.flush()


def answer(observation: dict, configuration: dict) -> list[str]:
    """Ask for the action strings of a turn."""
    say({"updates": observation["updates"], "step": observation["step"]})
    return json.loads(sys.stdin.readline())


def main() -> None:
    """Play the games asked for until stdin ends."""
    from kaggle_environments import make

    for line in iter(sys.stdin.readline, ""):
        game = json.loads(line)
        size = {"width": game["size"], "height": game["size"]}
        env = make("lux_ai_2021", configuration={"seed": game["seed"], "loglevel": 0, **size})
        agents = ["simple_agent", "simple_agent"]
        agents[game["seat"]] = answer
        env.run(agents)
        last = env.steps[-1]
        say(
            {
                "rewards": [seat.reward for seat in last],
                "statuses": [seat.status for seat in last],
                "updates": last[0].observation.updates,
                "theirs": [step[1 - game["seat"]].action for step in env.steps[1:]],
            }
        )


main()
