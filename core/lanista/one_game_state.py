"""The state of a rules object as JSON, and the streams that games draw from. Nothing here is pickled.

An object is kept by its attributes: numbers, texts, truth values, None, lists, tuples, sets, deques, dictionaries,
numpy arrays and scalars, nested as deep as may be, and the generator that `reset` was handed. Frozen settings and
functions that the constructor put into an attribute stay as they are. Whatever else it holds, or the same list in two
places, cannot be kept, and the env then says resumable = False. With methods ``save(self)`` and ``load(self, state)``
the author says what is kept.
"""

import base64
import json
from collections import deque
from collections.abc import Sequence
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

from lanista.arrays import AnyArray

#: the key that marks what JSON does not know
_KIND = "__kind__"
_PLAIN = (bool, int, float, str, type(None))


class StateError(Exception):
    """Something in a game cannot be kept; the text says what."""


class Streams:
    """A generator a game, wound anew at the start of each episode."""

    def __init__(self, num_games: int) -> None:
        """Make the generators (winding one is much cheaper than making it)."""
        self._generators = [np.random.Generator(np.random.Philox(key=0)) for _ in range(num_games)]
        self._start: Any = np.random.Philox(key=0).state

    def rng(self, place: int, seed: int, game: int, episode: int) -> np.random.Generator:
        """The generator of object `place`, at the start of the stream of (seed, game, episode).

        Philox is counter-based: each key, here of 64 bits for the seed, 24 for the game and 40 for the episode,
        gives a stream of its own (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
        """
        generator = self._generators[place]
        self._start["state"]["key"] = np.array([seed % 2**64, (game << 40) | (episode % 2**40)], np.uint64)
        generator.bit_generator.state = self._start
        return generator

    def at(self, place: int) -> np.random.Generator:
        """The generator of object `place` as it stands."""
        return self._generators[place]

    def save(self) -> dict[str, AnyArray]:
        """Where every stream stands."""
        states: list[Any] = [generator.bit_generator.state for generator in self._generators]
        return {
            "stream.counter": np.array([state["state"]["counter"] for state in states]),
            "stream.key": np.array([state["state"]["key"] for state in states]),
            "stream.buffer": np.array([state["buffer"] for state in states]),
            "stream.rest": np.array(
                [[state["buffer_pos"], state["has_uint32"], state["uinteger"]] for state in states], np.int64
            ),
        }

    def load(self, state: dict[str, AnyArray]) -> None:
        """Take back what `save` gave."""
        for place, generator in enumerate(self._generators):
            position, has, number = state["stream.rest"][place].tolist()
            generator.bit_generator.state = {
                "bit_generator": "Philox",
                "state": {"counter": state["stream.counter"][place], "key": state["stream.key"][place]},
                "buffer": state["stream.buffer"][place],
                "buffer_pos": position,
                "has_uint32": has,
                "uinteger": number,
            }


def refuse_unsavable(game: Any) -> None:  # noqa: ANN401 - the author's object
    """Raise `StateError` if the state of a game that has been reset cannot be kept."""
    json.dumps(_kept(game, None))


def game_state(games: Sequence[Any], streams: Streams) -> AnyArray:
    """All games as one JSON text, in bytes: ``[L]`` uint8."""
    kept = [_kept(game, streams.at(place)) for place, game in enumerate(games)]
    return np.frombuffer(json.dumps(kept).encode(), np.uint8).copy()


def put_back_state(games: Sequence[Any], streams: Streams, text: AnyArray) -> None:
    """Give every object what `game_state` kept of it."""
    for place, (game, kept) in enumerate(zip(games, json.loads(text.tobytes()), strict=True)):
        rng = streams.at(place)
        if hasattr(game, "load"):
            game.load(_plain(kept["saved"], rng))
            continue
        fixed = {name: vars(game)[name] for name in kept["fixed"]}
        vars(game).clear()
        vars(game).update(_plain(kept["changing"], rng) | fixed)


def _kept(game: Any, rng: np.random.Generator | None) -> dict[str, Any]:  # noqa: ANN401 - the author's object
    """What is kept of one object; without `rng` any generator counts as the game's own."""
    if hasattr(game, "save") != hasattr(game, "load"):
        missing = "load(self, state)" if hasattr(game, "save") else "save(self)"
        raise StateError(f"it has only one of save and load: {missing} is missing")
    if hasattr(game, "save"):
        return {"saved": _json(game.save(), "save()", rng, set())}
    if not hasattr(game, "__dict__") or any(hasattr(kind, "__slots__") for kind in type(game).__mro__[:-1]):
        raise StateError("its attributes lie in __slots__")
    fixed = [name for name, value in vars(game).items() if _never_changes(value)]
    changing = {name: value for name, value in vars(game).items() if name not in fixed}
    return {"fixed": fixed, "changing": _json(changing, "", rng, set())}


def _never_changes(value: Any) -> bool:  # noqa: ANN401 - any attribute
    """Is it a frozen settings model, a function or a class?"""
    config = getattr(type(value), "model_config", None)
    return (isinstance(config, dict) and config.get("frozen") is True) or isinstance(
        value, (type, FunctionType, BuiltinFunctionType)
    )


def _json(value: Any, path: str, rng: np.random.Generator | None, seen: set[int]) -> Any:  # noqa: ANN401 - any value in and out
    """A value as JSON; `seen` holds the containers on the way, since a second way to one would be lost."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return {_KIND: "number", "dtype": value.dtype.str, "value": value.item()}
    if kind is np.random.Generator:
        if rng is not None and value is not rng:
            raise StateError(f"{path} holds a generator that reset was not handed")
        return {_KIND: "rng"}
    if kind not in (list, tuple, set, frozenset, deque, dict, np.ndarray):
        raise StateError(f"{path} holds a {kind.__name__}")
    if kind not in (tuple, frozenset):
        whole = value
        while isinstance(getattr(whole, "base", None), np.ndarray):  # two views of one array are one thing
            whole = whole.base
        if id(whole) in seen:
            raise StateError(f"{path} is the same {kind.__name__} as something else in the game")
        seen.add(id(whole))
    if kind is np.ndarray:
        if value.dtype.kind not in "biuf":
            raise StateError(f"{path} holds an array of {value.dtype}")
        packed = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {_KIND: "array", "dtype": value.dtype.str, "shape": list(value.shape), "value": packed}
    if kind is dict:
        pairs = [
            [
                _json(key, f"a key of {path}", rng, seen),
                _json(item, f"{path}.{key}".lstrip("."), rng, seen),
            ]
            for key, item in value.items()
        ]
        return {_KIND: "dict", "value": pairs}
    items = [_json(item, f"{path}[{place}]", rng, seen) for place, item in enumerate(value)]
    if kind is list:
        return items
    return {_KIND: kind.__name__, "value": items} | ({"most": value.maxlen} if kind is deque else {})


def _plain(kept: Any, rng: np.random.Generator) -> Any:  # noqa: ANN401 - any value that `_json` takes
    """The value that `_json` made `kept` of."""
    if isinstance(kept, list):
        return [_plain(item, rng) for item in kept]
    if not isinstance(kept, dict):
        return kept
    kind = kept[_KIND]
    if kind == "rng":
        return rng
    if kind == "number":
        return np.dtype(kept["dtype"]).type(kept["value"])
    if kind == "array":
        packed = np.frombuffer(base64.b64decode(kept["value"]), np.dtype(kept["dtype"]))
        return packed.reshape(kept["shape"]).copy()
    if kind == "dict":
        return {_plain(key, rng): _plain(item, rng) for key, item in kept["value"]}
    items = [_plain(item, rng) for item in kept["value"]]
    if kind == "deque":
        return deque(items, kept["most"])
    return {"tuple": tuple, "set": set, "frozenset": frozenset}[kind](items)
