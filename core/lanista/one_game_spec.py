"""From a class that plays one game to its `EnvSpec`: attributes first, then the first position's own shapes.

What an author must say is `seats` and `actions`; all else has a default or shows in the first position.
"""

import inspect
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from lanista.errors import EnvContractError
from lanista.hints import hint, shown
from lanista.one_game_answers import acting_seats, as_numbers
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart

#: method -> how it is called; every rules class has these
METHODS = {
    "reset": ("rng",),
    "acting": (),
    "legal": ("seat",),
    "observe": ("seat",),
    "step": ("actions",),
}
#: methods that a rules class may have
OPTIONAL = {"facts": ("seat",), "terminated": (), "render": (), "save": (), "load": ("state",)}
#: what a method is for, in the words that complete "write def ...:"
_PURPOSES = {
    "reset": "to start a new game",
    "acting": "to say whose turn it is",
    "legal": "to give the legal actions of a seat",
    "observe": "to give what a seat sees",
    "step": "to play the actions, a dictionary from seat to action",
}
#: dtypes that an observation keeps; every other kind of number becomes float32
KEPT_DTYPES = ("float32", "int8", "int32", "uint8")
#: name of the one head or part that needs none
ACTION, BOARD = "action", "board"
_MAX_STEPS = 1000


@dataclass(frozen=True)
class Rules:
    """A rules class with what was found out about it."""

    kind: type[Any]
    #: does its constructor take the env's settings, and can it do without?
    takes_settings: bool
    needs_settings: bool

    @property
    def title(self) -> str:
        """The class as messages name it."""
        return self.kind.__name__

    def refuse(self, what: str, change: str) -> NoReturn:
        """Raise ``"game class NAME: WHAT; CHANGE"``."""
        raise EnvContractError(f"game class {self.title}: {what}; {change}")

    def refuse_call(self, call: str, what: str, change: str) -> NoReturn:
        """Raise it of one method's answer."""
        self.refuse(f"{call} {what}", change)

    def build(self, settings: Any) -> Any:  # noqa: ANN401 - the author's object and settings
        """Make one game's object."""
        if not self.takes_settings:
            return self.kind()
        if settings is None or not getattr(type(settings), "model_fields", True):
            if self.needs_settings:
                self.refuse(
                    "its constructor takes settings and there are none",
                    "give the parameter a default, or name their model: register(..., settings=Model)",
                )
            return self.kind()
        return self.kind(settings)


def read_rules(kind: Any) -> Rules:  # noqa: ANN401 - whatever an author handed in
    """Check that a class has the methods that it must have, each callable as it will be called."""
    if not inspect.isclass(kind):
        raise EnvContractError(
            f"one_game takes a class, found {shown(kind)}; write one_game(Rules) with the class itself"
        )
    rules = Rules(kind, *_constructor(kind))
    for name, words in METHODS.items():
        call = f"def {name}({', '.join(('self', *words))})"
        if not callable(getattr(kind, name, None)):
            near = [other for other in vars(kind) if callable(getattr(kind, other)) and other not in OPTIONAL]
            like = hint(name, near) if any(hint(name, [other]).startswith("did") for other in near) else ""
            rules.refuse(
                f"it has no method {name}{f' ({like})' if like else ''}", f"write {call}: {_PURPOSES[name]}"
            )
    for name, words in (METHODS | OPTIONAL).items():
        method = getattr(kind, name, None)
        if method is None:
            continue
        call = f"def {name}({', '.join(('self', *words))})"
        if not callable(method):
            rules.refuse(
                f"{name} is {shown(method)}, and a method is asked for", f"write {call}, or rename it"
            )
        given = inspect.getattr_static(kind, name)
        bound = () if isinstance(given, (staticmethod, classmethod)) else (None,)
        try:
            inspect.signature(method).bind(*bound, *words)
        except TypeError:
            found = f"{name}{inspect.signature(method)}"
            rules.refuse(f"{found} cannot be called with {', '.join(words) or 'self alone'}", f"write {call}")
    return rules


def _constructor(kind: type[Any]) -> tuple[bool, bool]:
    """(does the constructor take a positional argument, must it be given?)"""
    if kind.__init__ is object.__init__:
        return False, False
    try:
        parameters = list(inspect.signature(kind).parameters.values())
    except (TypeError, ValueError):
        return False, False
    positional = [
        item for item in parameters if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)
    ]
    return bool(positional), bool(positional) and positional[0].default is inspect.Parameter.empty


def spec_of(rules: Rules, game: Any) -> EnvSpec:  # noqa: ANN401 - the author's object
    """Read the declaration off `game`, which must have been reset."""
    seats = _count(rules, game, "seats", None, "the number of players")
    name = getattr(game, "name", rules.title.lower())
    if not isinstance(name, str) or not name:
        rules.refuse(f"name is {shown(name)}", 'write name = "mygame", the name that it is registered under')
    meanings = _table(rules, game, "meanings")
    heads = _heads(rules, game, meanings)
    observation = _parts(rules, game, seats, meanings)
    facts = _facts(rules, game, seats, meanings)
    outcome: Any = getattr(game, "outcome", "score" if seats == 1 else "result")
    if outcome not in ("result", "score"):
        rules.refuse(
            f"outcome is {shown(outcome)}", 'write outcome = "result" (win, draw, loss) or outcome = "score"'
        )
    turns: Any = getattr(game, "turns", None)
    if turns is None:
        turns = (
            "alternating"
            if seats > 1 and len(acting_seats(rules.refuse_call, game, seats)) == 1
            else "simultaneous"
        )
    if turns not in ("alternating", "simultaneous"):
        rules.refuse(f"turns is {shown(turns)}", 'write turns = "alternating" or turns = "simultaneous"')
    reported = any(fact.name == "reward" for fact in facts)
    reward = () if reported else (FactSpec("reward", "flow", "points", _reward_words(outcome)),)
    return EnvSpec(
        name=name,
        version=str(getattr(game, "version", "1")),
        source=str(getattr(game, "source", f"class {rules.title}")),
        seats=seats,
        turns=turns,
        observation=observation,
        heads=heads,
        facts=(*reward, *facts),
        max_steps=_count(rules, game, "max_steps", _MAX_STEPS, "the longest game in steps"),
        reward_range=_reward_range(rules, game, outcome, reported),
        outcome=outcome,
    )


def _reward_words(outcome: str) -> str:
    return "the outcome when the game ends, else 0" if outcome == "result" else "the score, paid at the end"


def _count(rules: Rules, game: Any, field: str, default: int | None, meaning: str) -> int:  # noqa: ANN401
    found = getattr(game, field, default)
    if found is None:
        rules.refuse(f"it does not say {field}", f"write {field} = 2, say: {meaning}")
    if isinstance(found, (bool, np.bool_)) or not isinstance(found, (int, np.integer)) or found < 1:
        rules.refuse(f"{field} is {shown(found)}", f"write a whole number from 1 on: {meaning}")
    return int(found)


def _table(rules: Rules, game: Any, field: str) -> Mapping[str, Any]:  # noqa: ANN401
    found = getattr(game, field, {})
    if not isinstance(found, Mapping):
        rules.refuse(f"{field} is {shown(found)}", f'write a dictionary: {field} = {{"board": ...}}')
    return found


def _heads(rules: Rules, game: Any, meanings: Mapping[str, Any]) -> tuple[HeadSpec, ...]:  # noqa: ANN401
    actions = getattr(game, "actions", None)
    if actions is None:
        rules.refuse(
            "it does not say actions", "write actions = 9, say: how many actions there are to choose from"
        )
    table = actions if isinstance(actions, Mapping) else {ACTION: actions}
    if not table:
        rules.refuse("actions is empty", 'name each decision with its number of choices: {"move": 5}')
    heads = []
    for name, size in table.items():
        whole = isinstance(size, (int, np.integer)) and not isinstance(size, (bool, np.bool_))
        if not isinstance(name, str) or not whole or size < 1:
            rules.refuse(
                f"actions has {shown(name)}: {shown(size)}",
                'write a number of choices, or one for each named decision: {"move": 5, "bomb": 2}',
            )
        heads.append(HeadSpec(name, "categorical", int(size), str(meanings.get(name, "what the seat does"))))
    return tuple(heads)


def _parts(rules: Rules, game: Any, seats: int, meanings: Mapping[str, Any]) -> tuple[ObsPart, ...]:  # noqa: ANN401
    seen = game.observe(0)
    if isinstance(seen, Mapping) and not seen:
        rules.refuse("observe gives an empty dictionary", "name each part that a seat sees with its array")
    table = seen if isinstance(seen, Mapping) else {BOARD: seen}
    center, spread = _table(rules, game, "center"), _table(rules, game, "spread")
    for field, given in (("center", center), ("spread", spread)):
        unknown = sorted(set(map(str, given)) - set(map(str, table)))
        if unknown:
            rules.refuse(f"{field} names {unknown[0]!r}, which is no part", hint(unknown[0], map(str, table)))
    parts = []
    for name, value in table.items():
        if not isinstance(name, str):
            rules.refuse(f"observe names a part {shown(name)}", "name the parts of an observation with texts")
        array = as_numbers(value)
        if array is None or array.size == 0:
            rules.refuse(
                f"observe(0) gives {shown(value)} for the part {name!r}, which is no array of numbers",
                "give a list or a numpy array of numbers, or a dictionary of such",
            )
        dtype: Any = array.dtype.name if isinstance(value, np.ndarray) else "float32"
        if dtype == "bool":
            dtype = "uint8"
        parts.append(
            ObsPart(
                name, array.shape, dtype if dtype in KEPT_DTYPES else "float32",
                str(meanings.get(name, f"what observe(seat) gives as {name}")),
                _numbers(rules, f"center[{name!r}]", center.get(name, 0.0)),
                _numbers(rules, f"spread[{name!r}]", spread.get(name, 1.0)),
            )
        )  # fmt: skip
        last = array.shape[-1] if array.shape else 1
        for field, numbers in (("center", parts[-1].center), ("spread", parts[-1].spread)):
            if len(numbers) not in (1, last):
                rules.refuse(
                    f"{field}[{name!r}] has {len(numbers)} numbers",
                    f"give one, or one for each of the {last} on the last axis",
                )
        if not all(math.isfinite(number) and number > 0 for number in parts[-1].spread):
            rules.refuse(
                f"spread[{name!r}] is {parts[-1].spread}", "networks divide by it; give numbers above 0"
            )
    return tuple(parts)


def _numbers(rules: Rules, field: str, value: Any) -> tuple[float, ...]:  # noqa: ANN401
    array = as_numbers(value)
    if array is None or array.ndim > 1:
        rules.refuse(f"{field} is {shown(value)}", "give a number, or one for each of the last axis")
    return tuple(float(number) for number in array.reshape(-1))


def _facts(rules: Rules, game: Any, seats: int, meanings: Mapping[str, Any]) -> tuple[FactSpec, ...]:  # noqa: ANN401
    flows = getattr(game, "flows", ())
    if isinstance(flows, str) or not isinstance(flows, Iterable):
        rules.refuse(
            f"flows is {shown(flows)}", 'name the facts that are amounts of a step: flows = ("captures",)'
        )
    flows = {"reward", *map(str, flows)}
    found = game.facts(0) if hasattr(game, "facts") else {}
    if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
        rules.refuse(f"facts(0) gives {shown(found)}", 'give a dictionary of numbers: {"stones": 3}')
    missing = sorted(flows - set(found) - {"reward"})
    if missing:
        rules.refuse(f"flows names {missing[0]!r}, which facts(0) does not give", hint(missing[0], found))
    return tuple(
        FactSpec(
            name, "flow" if name in flows else "level", "points" if name == "reward" else "",
            str(meanings.get(name, "the official reward of the step" if name == "reward" else name)),
        )
        for name in found
    )  # fmt: skip


def _reward_range(rules: Rules, game: Any, outcome: str, reported: bool) -> tuple[float, float]:  # noqa: ANN401
    found = getattr(game, "reward_range", None)
    if found is None:
        if reported or outcome == "score":
            why = "facts(seat) gives a reward of its own" if reported else 'its outcome is a "score"'
            rules.refuse(
                f"it does not say reward_range, and {why}",
                "write reward_range = (lowest, highest), the bounds of the reward of one step",
            )
        return -1.0, 1.0
    try:
        low, high = map(float, found)
    except (TypeError, ValueError):
        low, high = 1.0, 0.0
    if not low <= high:
        rules.refuse(f"reward_range is {shown(found)}", "write (lowest, highest), such as (-1.0, 1.0)")
    return low, high
