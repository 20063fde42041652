"""The group that declared symmetries generate, as tables: one row an element, the first leaves everything as it is.

Convention: an element g takes a game to another. What was seen as x is then seen as ``sign * x[order] + shift`` (by new
places), what was choice a is choice ``choices[a]``, what stood on cell c stands on ``cells[c]``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lanista.arrays import AnyArray, IntArray
from lanista.hints import hint, told
from lanista.spec import UNITS, EnvSpec, HeadSpec
from lanista.symmetry.declared import Rearrangement, Symmetries, Symmetry, SymmetryError

#: more elements than any board game has; beyond it some generator is no symmetry
MOST = 96


@dataclass(frozen=True)
class Moves:
    """``[G, K]`` each: how the K numbers of a flat array move under each element."""

    #: int64: the old place of the number at each new place
    order: IntArray
    #: float64
    sign: AnyArray
    #: float64
    shift: AnyArray

    @property
    def plain(self) -> bool:
        """Do numbers change places only?"""
        return bool((self.sign == 1.0).all() and (self.shift == 0.0).all())

    def of(self, flat: AnyArray, element: int) -> AnyArray:
        """``[..., K]`` as one element shows it, in float64 unless numbers only change places."""
        moved = flat[..., self.order[element]]
        return moved if self.plain else self.sign[element] * moved + self.shift[element]


@dataclass(frozen=True)
class _Element:
    """One element before it stands in the tables; keys are (group of names, name)."""

    name: str
    moves: dict[tuple[str, str], tuple[IntArray, AnyArray, AnyArray]]
    #: head -> ``[K, A]``, K kinds of units or 1
    choices: dict[str, IntArray]
    cells: IntArray

    def key(self) -> bytes:
        arrays = [part for move in self.moves.values() for part in move]
        numbers = [*arrays, *self.choices.values(), self.cells]
        # Adding 0 makes 0 of -0, which has other bytes.
        return b"".join((np.round(array.astype(np.float64), 9) + 0.0).tobytes() for array in numbers)

    def then(self, other: "_Element") -> "_Element":
        """First this one, then the other."""
        moves = {}
        for place, (order, sign, shift) in self.moves.items():
            last, last_sign, last_shift = other.moves[place]
            moves[place] = (order[last], last_sign * sign[last], last_sign * shift[last] + last_shift)
        choices = {
            head: np.take_along_axis(other.choices[head], own, axis=1) for head, own in self.choices.items()
        }
        name = other.name if self.name == SAME else f"{self.name} {other.name}"
        return _Element(name, moves, choices, other.cells[self.cells])


#: the element that leaves everything as it is
SAME = "same"


@dataclass(frozen=True)
class Group:
    """All elements, G of them."""

    #: the generators that lead to each, in turn, with blanks between
    names: tuple[str, ...]
    #: the element that each declared symmetry is
    generators: tuple[int, ...]
    #: part -> moves, of every part of the observation, of what is seen of units, of heads of real numbers
    parts: Mapping[str, Moves]
    unit_parts: Mapping[str, Moves]
    numbers: Mapping[str, Moves]
    #: head -> ``[G, K, A]`` int64, K kinds of units or 1
    choices: Mapping[str, IntArray]
    #: ``[G, C]`` int64; C is 0 where cells are not known
    cells: IntArray
    #: ``[G]``: the element that undoes each
    inverse: IntArray
    #: ``[G, G]``: first the row's element, then the column's
    products: IntArray

    def __len__(self) -> int:
        """G."""
        return len(self.names)

    def places(self, head: str) -> IntArray:
        """``[G, K, A]``: where in a mask or among logits each new choice was before."""
        return self.choices[head][self.inverse]

    def subgroup(self, wanted: Sequence[str]) -> list[int]:
        """The elements that the named ones make, in order; raises `SymmetryError` for a name that none has."""
        found = {0}
        for name in wanted:
            if name not in self.names:
                raise SymmetryError(f"there is no symmetry {name!r}; {hint(name, self.names)}")
            found.add(self.names.index(name))
        while True:
            more = {int(self.products[a, b]) for a in found for b in found} | found
            if more == found:
                return sorted(found)
            found = more


def group_of(spec: EnvSpec, declared: Symmetries) -> Group:
    """Make the tables; raises `SymmetryError`, one sentence, for the first thing that is no symmetry of this spec."""
    called = [symmetry.name for symmetry in declared.generators]
    if not called or len(set(called)) < len(called) or any(len(name.split()) != 1 for name in called):
        raise SymmetryError(
            f"env {spec.name}: its symmetries are called {called}; declare one at least, and call each by a word of its "
            f"own"
        )
    generators = [_element(spec, declared, symmetry) for symmetry in declared.generators]
    same = _element(spec, declared, Symmetry(SAME, board=None if declared.board is None else lambda b: b))
    elements, known = [same], {same.key(): 0}
    for element in elements:
        for generator in generators:
            found = element.then(generator)
            if found.key() not in known:
                known[found.key()] = len(elements)
                elements.append(found)
        if len(elements) > MOST:
            raise SymmetryError(
                f"env {spec.name}: the symmetries {', '.join(one.name for one in generators)} make more than {MOST} "
                f"elements; look for one whose parts, heads and board do not turn the same way"
            )
    products = np.array([[known[a.then(b).key()] for b in elements] for a in elements])
    return Group(
        names=tuple(element.name for element in elements),
        generators=tuple(known[generator.key()] for generator in generators),
        parts=_moves(elements, "parts"),
        unit_parts=_moves(elements, "unit_parts"),
        numbers=_moves(elements, "heads"),
        choices={
            head: np.stack([element.choices[head] for element in elements]) for head in elements[0].choices
        },
        cells=np.stack([element.cells for element in elements]),
        inverse=(products == 0).argmax(axis=1),
        products=products,
    )


def _moves(elements: Sequence[_Element], group: str) -> dict[str, Moves]:
    names = [name for where, name in elements[0].moves if where == group]
    columns = {
        name: zip(*(element.moves[group, name] for element in elements), strict=True) for name in names
    }
    return {name: Moves(*(np.stack(column) for column in found)) for name, found in columns.items()}


def _element(spec: EnvSpec, declared: Symmetries, symmetry: Symmetry) -> _Element:
    """Find the tables of one declared symmetry."""
    where = f"env {spec.name}, symmetry {symmetry.name!r}"
    moves: dict[tuple[str, str], tuple[IntArray, AnyArray, AnyArray]] = {}
    for group, parts in (("parts", spec.observation), ("unit_parts", spec.unit_observation)):
        given = getattr(symmetry, group)
        _refuse_unknown(where, group, given, [part.name for part in parts])
        for part in parts:
            moves[group, part.name] = _probed(
                f"{where}, {group} {part.name!r}", given.get(part.name), part.shape
            )
    _refuse_unknown(where, "heads", symmetry.heads, [head.name for head in spec.heads])
    choices: dict[str, IntArray] = {}
    for head in spec.heads:
        told_of, here = symmetry.heads.get(head.name), f"{where}, head {head.name!r}"
        if head.continuous:
            if told_of is not None and not callable(told_of):
                raise SymmetryError(f"{here} gives real numbers; name a function of an action [{head.size}]")
            moves["heads", head.name] = _probed(here, told_of, (head.size,))
        else:
            choices[head.name] = _choices(here, head, told_of)
    return _Element(symmetry.name, moves, choices, _cells(where, declared, symmetry))


def _refuse_unknown(where: str, group: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise SymmetryError(f"{where}: {group} names {name!r}, which is not there; {hint(name, known)}")


def _probed(
    where: str, function: Rearrangement | None, shape: tuple[int, ...]
) -> tuple[IntArray, AnyArray, AnyArray]:
    """Find (order, sign, shift) of a function on arrays of `shape`."""
    size = int(np.prod(shape))
    if function is None:
        return np.arange(size), np.ones(size), np.zeros(size)

    def asked(array: AnyArray) -> AnyArray:
        try:
            found = np.asarray(function(array.reshape(shape)), np.float64)
        except Exception as error:
            raise SymmetryError(f"{where} raised {told(error)} on an array {shape}; mend it") from error
        if found.shape != shape:
            raise SymmetryError(f"{where} makes {found.shape} of an array {shape}; keep the shape")
        return found.reshape(-1).copy()

    shift = asked(np.zeros(size))
    numbered = asked(np.arange(1.0, size + 1.0)) - shift
    order = np.rint(np.abs(numbered)).astype(np.int64) - 1
    sign = np.sign(numbered)
    chance = np.random.default_rng(0).standard_normal(size)
    if not np.array_equal(np.sort(order), np.arange(size)) or not np.allclose(
        asked(chance.copy()), sign * chance[order] + shift
    ):
        raise SymmetryError(
            f"{where} does more than move numbers, turn signs and add constants; let every number that goes in come "
            f"out once"
        )
    return order, sign, shift


def _choices(where: str, head: HeadSpec, given: Any) -> IntArray:  # noqa: ANN401 - what an author wrote
    """``[K, A]``: what each choice is called afterwards; beyond a kind's choices they stay."""
    of_units = head.kind == UNITS
    kinds = head.units if of_units else ((head.name, head.size),)
    table = np.tile(np.arange(head.size), (len(kinds), 1))
    if given is None:
        return table
    if of_units != isinstance(given, Mapping):
        asked = "a list of choices for each kind of unit, by its name" if of_units else "one list of choices"
        raise SymmetryError(f"{where}: found {type(given).__name__}; give {asked}")
    by_kind = given if of_units else {head.name: given}
    _refuse_unknown(where, "kinds", by_kind, [name for name, _ in kinds])
    for row, (name, count) in enumerate(kinds):
        if name not in by_kind:
            continue
        found = list(by_kind[name])
        if sorted(found) != list(range(count)):
            raise SymmetryError(
                f"{where}: {name} has the choices 0 to {count - 1} and {found} does not name each of them once; "
                f"say for each choice what it is called in the transformed game"
            )
        table[row, :count] = found
        if head.exclusive and {found[choice] for choice in head.exclusive[row]} != set(head.exclusive[row]):
            raise SymmetryError(
                f"{where}: {name}'s exclusive choices {head.exclusive[row]} do not stay among themselves in {found}"
            )
    return table


def _cells(where: str, declared: Symmetries, symmetry: Symmetry) -> IntArray:
    """``[C]``: where each cell goes."""
    if declared.board is None:
        if symmetry.board is not None:
            raise SymmetryError(f"{where} turns a board of unknown size; give Symmetries(board=(H, W))")
        return np.zeros(0, np.int64)
    if symmetry.board is None:
        raise SymmetryError(
            f"{where} does not say what becomes of the board of {declared.board}; give `board`"
        )
    order, sign, shift = _probed(f"{where}, board", symmetry.board, declared.board)
    if (sign != 1.0).any() or shift.any():
        raise SymmetryError(f"{where}, board changes cells themselves; move them only")
    cells = np.empty_like(order)
    cells[order] = np.arange(len(order))
    return cells
