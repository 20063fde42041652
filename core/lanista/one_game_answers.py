"""What the methods of a rules class return, put into rows of the batch's arrays, or one sentence on why not."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

import numpy as np

from lanista.arrays import AnyArray
from lanista.errors import EnvContractError
from lanista.hints import hint, shown

#: raises a sentence of (call, what is wrong, what to change)
Refuse = Callable[[str, str, str], NoReturn]

_FLOAT32 = np.dtype(np.float32)
_LEGAL = "give the legal actions ([0, 3, 8]) or a truth value for each action"


class Answers:
    """Reads the answers of one rules class; keeps which game they are of, for the sentences."""

    def __init__(self, title: str, seats: int) -> None:
        """`title` is the class's name."""
        self.title = title
        self.seats = seats
        self.game = 0

    def refuse(self, call: str, what: str, change: str) -> NoReturn:
        """Raise ``"game class NAME: CALL WHAT in game G; CHANGE"``."""
        raise EnvContractError(f"game class {self.title}: {call} {what} in game {self.game}; {change}")

    def put_seen(self, row: AnyArray, value: Any, name: str, seat: int) -> None:  # noqa: ANN401 - an author's
        """Write one part of an observation into `row`, ``part.shape``."""
        if type(value) is np.ndarray:
            array: AnyArray = value
        elif row.dtype is _FLOAT32:  # takes all numbers, so the list can be read as such at once
            try:
                array = np.asarray(value, _FLOAT32)
            except (ValueError, TypeError, OverflowError):
                array = self._array(value, name, seat)
        else:
            array = self._array(value, name, seat)
        if array.shape != row.shape and not (array.ndim == 0 and row.shape == (1,)):
            self.refuse(
                f"observe({seat})",
                f"gives the part {name!r} in the shape {array.shape}",
                f"the first observation had {row.shape}: give the same shape every time",
            )
        if array.dtype is not row.dtype and array.dtype != row.dtype:
            fits = array.dtype.kind in "biuf" if row.dtype == np.float32 else array.dtype == np.bool_
            if not fits and not (
                row.dtype.kind in "iu" and type(value) is not np.ndarray and _whole(array, row)
            ):
                self.refuse(
                    f"observe({seat})",
                    f"gives the part {name!r} as {array.dtype}",
                    f"the first observation had {row.dtype}: give that every time (float32 takes all numbers)",
                )
        row[...] = array

    def _array(self, value: Any, name: str, seat: int) -> AnyArray:  # noqa: ANN401
        array = as_numbers(value)
        if array is None:
            self.refuse(
                f"observe({seat})", f"gives {shown(value)} for the part {name!r}",
                "give a list or an array of numbers of one length a row",
            )  # fmt: skip
        return array

    def put_legal(self, row: AnyArray, value: Any, name: str, seat: int) -> None:  # noqa: ANN401
        """Write a mask, or the places of the legal actions, into `row`, ``[A]``."""
        if type(value) is np.ndarray and value.dtype == np.bool_:
            if value.shape != row.shape:
                self._bad_mask(value.shape, row, name, seat)
            row[...] = value
            return
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            self.refuse(f"legal({seat})", f"gives {shown(value)} for {name!r}", _LEGAL)
        items = value.tolist() if isinstance(value, np.ndarray) else list(value)
        if items and isinstance(items[0], (bool, np.bool_)):
            if len(items) != len(row) or not all(isinstance(item, (bool, np.bool_)) for item in items):
                self._bad_mask((len(items),), row, name, seat)
            row[...] = items
            return
        flags = [False] * len(row)
        for item in items:
            if type(item) is not int and not isinstance(item, np.integer):
                self.refuse(f"legal({seat})", f"lists {shown(item)} for {name!r}", _LEGAL)
            if not 0 <= item < len(flags):
                self.refuse(
                    f"legal({seat})", f"lists the action {item} for {name!r}",
                    f"actions are counted from 0 to {len(row) - 1}",
                )  # fmt: skip
            if flags[item]:
                self.refuse(
                    f"legal({seat})", f"lists the action {item} twice for {name!r}",
                    "list each legal action once; a mask is made of True and False, not of 1 and 0",
                )  # fmt: skip
            flags[item] = True
        row[...] = flags

    def _bad_mask(self, shape: tuple[int, ...], row: AnyArray, name: str, seat: int) -> NoReturn:
        self.refuse(
            f"legal({seat})", f"gives a mask of the shape {shape} for {name!r}",
            f"a mask has a truth value for each of the {len(row)} actions",
        )  # fmt: skip

    def table(self, call: str, value: Any, names: Iterable[str], one: str | None) -> Mapping[str, Any]:  # noqa: ANN401
        """The answer as ``name -> value``; where the only name is `one`, it may be left out."""
        names = list(names)
        if isinstance(value, Mapping):
            if value.keys() == set(names):
                return value
            unknown = sorted(str(key) for key in value.keys() - set(names))
            if unknown:
                self.refuse(
                    call, f"gives {unknown[0]!r}, which was not there at first", hint(unknown[0], names)
                )
            missing = sorted(set(names) - value.keys())
            self.refuse(call, f"does not give {missing[0]!r}", f"give {', '.join(names)} every time")
        if one is None or names != [one]:
            self.refuse(call, f"gives {shown(value)}", f"give a dictionary of {', '.join(names)}")
        return {one: value}

    def number(self, call: str, value: Any, what: str) -> float:  # noqa: ANN401
        """A finite number."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            self.refuse(call, f"gives {shown(value)} as {what}", "give a number")
        if not math.isfinite(number):
            self.refuse(call, f"gives {number} as {what}", "give a finite number; look for a division by 0")
        return number

    def outcome(self, value: Any) -> list[float]:  # noqa: ANN401
        """One number a seat, as `step` gives them at a game's end."""
        change = (
            f"return None while the game goes on, and at its end a list of {self.seats} numbers, one a seat"
        )
        if self.seats == 1 and isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
            value = [value]
        if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
            self.refuse("step", f"returns {shown(value)}", change)
        items = list(value.values() if isinstance(value, Mapping) else value)
        if isinstance(value, Mapping):
            if value.keys() != set(range(self.seats)):
                self.refuse("step", f"returns {shown(value)}", change)
            items = [value[seat] for seat in range(self.seats)]
        if len(items) != self.seats:
            self.refuse("step", f"returns an outcome of {len(items)} numbers", change)
        return [self.number("step", item, f"the outcome of seat {seat}") for seat, item in enumerate(items)]


def _whole(array: AnyArray, row: AnyArray) -> bool:
    """Whether a plain list's whole numbers fit an integer part."""
    limits = np.iinfo(row.dtype)
    return array.dtype.kind in "iu" and bool(((array >= limits.min) & (array <= limits.max)).all())


def as_numbers(value: Any) -> AnyArray | None:  # noqa: ANN401 - what an author returned
    """An array of numbers or truth values, or None if it is no such thing."""
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, OverflowError):  # ragged lists
        return None
    if array.dtype.kind not in "biuf":
        return None
    return array if array.ndim else array.reshape(1)


def acting_seats(refuse: Refuse, game: Any, seats: int) -> tuple[int, ...]:  # noqa: ANN401 - the author's object
    """The seats that `game.acting()` names: one number, several, or a truth value for each seat."""
    found = game.acting()
    if type(found) is int and 0 <= found < seats:
        return (found,)
    if type(found) is int:
        named = [found]
    elif isinstance(found, (int, np.integer)) and not isinstance(found, bool):
        named = [int(found)]
    else:
        named = _listed(refuse, found, seats)
    if not named:
        refuse(
            "acting()",
            "names no seat though the game goes on",
            "name who acts, or end the game in step by returning its outcome",
        )
    wrong = next((seat for seat in named if not 0 <= seat < seats), None)
    if wrong is not None:
        refuse("acting()", f"names seat {wrong}", f"seats are counted from 0 to {seats - 1}")
    if len(set(named)) < len(named):
        refuse("acting()", f"names a seat twice: {shown(named)}", "name each seat that acts once")
    return tuple(sorted(named))


def _listed(refuse: Refuse, found: Any, seats: int) -> list[int]:  # noqa: ANN401 - what an author returned
    change = "give a seat, several seats such as [0, 1], or a truth value for each seat"
    if isinstance(found, (str, bytes, Mapping)) or not isinstance(found, Iterable):
        refuse("acting()", f"gives {shown(found)}", change)
    items = found.tolist() if isinstance(found, np.ndarray) else list(found)
    if items and all(isinstance(item, (bool, np.bool_)) for item in items):
        if len(items) != seats:
            refuse("acting()", f"gives {len(items)} truth values for {seats} seats", change)
        return [seat for seat, acts in enumerate(items) if acts]
    if not all(isinstance(item, (int, np.integer)) and not isinstance(item, bool) for item in items):
        refuse("acting()", f"gives {shown(found)}", change)
    return [int(item) for item in items]
