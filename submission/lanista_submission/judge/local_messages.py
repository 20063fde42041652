"""What the judge of the target `local` and an agent say to each other, as JSON values.

The agent is called as ``agent(observation, configuration)``. ``observation`` is::

    {"observation": {"board": [[0, 1, ...], ...]},      every part, as nested lists
     "legal": {"action": [true, false, ...]},           every head that chooses, a truth value an action
     "seat": 0, "step": 4, "remainingOverageTime": 12.0}

and ``configuration``::

    {"env": "tictactoe", "settings": {}, "seats": 2, "actTimeout": 1.0,
     "parts": {"board": {"shape": [2, 9], "dtype": "float32"}}, "heads": {"action": {"size": 9}}}

A head of real numbers has no mask, and its entry in ``heads`` has ``low`` and ``high`` beside ``size``. The answer is
the number of the action, or the list of real numbers; with several heads a dictionary of them by head.
"""

import math
from typing import Any

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.hints import shown
from lanista.spec import EnvSpec, HeadSpec

#: seconds a turn; what a turn takes beyond comes out of the bank of time
ACT_TIMEOUT_S = 1.0
#: the bank of a game, in seconds: Kaggle's default
OVERAGE_S = 12.0


def observation_of(env: VecEnv, seat: int, step: int, overage_s: float) -> dict[str, Any]:
    """What a seat of game 0 sees and may do."""
    return {
        "observation": {name: part[0, seat].tolist() for name, part in env.observation.items()},
        "legal": {name: mask[0, seat].tolist() for name, mask in env.legal.items()},
        "seat": seat,
        "step": step,
        "remainingOverageTime": overage_s,
    }


def configuration_of(job: dict[str, Any], spec: EnvSpec) -> dict[str, Any]:
    """What stays the same for the whole of a game."""
    return {
        "env": job["environment"],
        "settings": job["configuration"]["settings"],
        "seats": spec.seats,
        "actTimeout": float(job["configuration"]["actTimeout"]),
        "parts": {part.name: {"shape": list(part.shape), "dtype": part.dtype} for part in spec.observation},
        "heads": {
            head.name: {"size": head.size}
            | ({"low": list(head.low), "high": list(head.high)} if head.continuous else {})
            for head in spec.heads
        },
    }


def action_of(
    value: Any,  # noqa: ANN401 - whatever an agent answered
    spec: EnvSpec,
    legal: dict[str, AnyArray],
) -> tuple[dict[str, Any] | None, str | None]:
    """(action by head, None), or (None, what is asked for); (None, None) for a number that is not legal now."""
    if len(spec.heads) == 1:
        table = {spec.heads[0].name: value}
    elif isinstance(value, dict) and value.keys() == {head.name for head in spec.heads}:
        table = value
    else:
        return None, f"a dictionary of {', '.join(head.name for head in spec.heads)} is asked for"
    for head in spec.heads:
        asked = _real(table[head.name], head) if head.continuous else _choice(table[head.name], head)
        if asked is not None:
            return None, asked
        if not head.continuous and not legal[head.name][table[head.name]]:
            return None, None
    return table, None


def _choice(value: Any, head: HeadSpec) -> str | None:  # noqa: ANN401
    if type(value) is int and 0 <= value < head.size:
        return None
    return f"a whole number from 0 to {head.size - 1} is asked for as {head.name}, found {shown(value)}"


def _real(value: Any, head: HeadSpec) -> str | None:  # noqa: ANN401
    numbers = isinstance(value, list) and all(
        type(item) in (int, float) and math.isfinite(item) for item in value
    )
    if not numbers or len(value) != head.size:
        return f"a list of {head.size} finite numbers is asked for as {head.name}, found {shown(value)}"
    for item, low, high in zip(value, head.low, head.high, strict=True):
        if not low <= item <= high:
            return f"{head.name} has {item:g}, which is not within {low:g} to {high:g}"
    return None


def result_types(spec: EnvSpec) -> tuple[tuple[str, ...], str]:
    """(the Python types that an answer may have, what to write in place of a wrong one)."""
    if len(spec.heads) > 1:
        names = ", ".join(f'"{head.name}": ...' for head in spec.heads)
        return ("dict",), f"return {{{names}}} with plain numbers"
    if spec.heads[0].continuous:
        return ("list",), "return [float(number) for number in action]"
    return ("int",), "return int(action)"
