"""What an environment of kaggle-environments says of itself: seats, time, actions, its own agents.

The judging environment's Python is asked, since only it can import kaggle-environments.
"""

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from lanista.errors import UsageError
from lanista.hints import hint, one_line
from lanista.judge import Judge, NoJudgeError

#: seconds to import kaggle-environments and to make one game
_ASK_S = 120.0
_QUESTION = """
import json, sys
import kaggle_environments
from kaggle_environments import core
name = sys.argv[1]
known = sorted({*core.environments, *core._lazy_environments})
told = {"known": known}
if name in known:
    environment = kaggle_environments.make(name)
    specification = environment.specification
    told["found"] = {
        "version": specification.version,
        "seats": list(specification.agents),
        "act_timeout": float(environment.configuration.actTimeout),
        "overage_s": float(environment.state[0].observation.remainingOverageTime),
        "default_action": specification.action.get("default"),
        "action_type": specification.action.get("type"),
        "agents": sorted(environment.agents),
        "configuration": sorted(specification.configuration),
        "kaggle_environments": kaggle_environments.__version__,
    }
print("\\n" + json.dumps(told))
"""


@dataclass(frozen=True)
class Specification:
    """One environment, as its own JSON and code declare it."""

    game: str
    version: str
    #: the numbers of seats that it can be played with
    seats: tuple[int, ...]
    #: seconds a turn before the overage is touched
    act_timeout: float
    #: bank of time in seconds
    overage_s: float
    #: what is played for an agent that gives None
    default_action: Any
    #: JSON types of an action, as its schema names them
    action_types: tuple[str, ...]
    #: names of its own agents
    agents: tuple[str, ...]
    #: keys of its configuration
    configuration: tuple[str, ...]
    #: version of kaggle-environments
    kaggle_environments: str


def read_specification(judge: Judge, game: str) -> Specification:
    """Ask the judge; an environment that there is not is an error that names the nearest."""
    try:
        answer = subprocess.run(
            [str(judge.python), "-I", "-c", _QUESTION, game],
            capture_output=True,
            text=True,
            timeout=_ASK_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoJudgeError(f"the judging environment does not answer: {one_line(error)}") from error
    if answer.returncode != 0:
        lines = answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"]
        raise NoJudgeError(f"the judging environment cannot make {game!r}: {one_line(lines[-1])}")
    told = json.loads(answer.stdout.splitlines()[-1])
    if "found" not in told:
        raise UsageError(f"kaggle-environments has no environment {game!r}; {hint(game, told['known'])}")
    found = told["found"]
    types = found["action_type"] or []
    return Specification(
        game=game,
        version=found["version"],
        seats=tuple(found["seats"]),
        act_timeout=found["act_timeout"],
        overage_s=found["overage_s"],
        default_action=found["default_action"],
        action_types=tuple([types] if isinstance(types, str) else types),
        agents=tuple(found["agents"]),
        configuration=tuple(found["configuration"]),
        kaggle_environments=found["kaggle_environments"],
    )
