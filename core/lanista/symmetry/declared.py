"""What an env says of its symmetries: transformations under which its game stays the same game.

A board may be mirrored, and every choice to the left becomes one to the right. Whoever wrote the env names a few such
transformations, those of which all others are made (a quarter turn and a mirror make the eight of a square), as plain
functions on what is seen. The trait ``symmetries="package.module:function"`` of an env names a function
``(spec, settings) -> Symmetries``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lanista.arrays import AnyArray
from lanista.errors import LanistaError


class SymmetryError(LanistaError):
    """What an env declares is no symmetry, or something is asked of its symmetries that they cannot give."""


#: From an array as it is seen to the array that would be seen of the transformed game, of the same shape. It moves
#: numbers to other places, and may turn their signs or take them from constants (``1 - x``).
Rearrangement = Callable[[AnyArray], AnyArray]
#: what ``VecEnv.save`` gives and ``VecEnv.load`` takes
State = dict[str, AnyArray]


@dataclass(frozen=True)
class Symmetry:
    """One transformation. What is not named stays as it is."""

    #: what it is called, one word
    name: str
    #: part of `EnvSpec.observation` -> what becomes of one observation of it
    parts: Mapping[str, Rearrangement] = field(default_factory=dict)
    #: part of `EnvSpec.unit_observation` -> the same
    unit_parts: Mapping[str, Rearrangement] = field(default_factory=dict)
    #: head -> choices: what was choice a is choice ``choices[a]`` of the transformed game. A head of units has such
    #: choices by kind, ``{"worker": choices}``; a head of real numbers has a function, as parts have.
    heads: Mapping[str, Sequence[int] | Mapping[str, Sequence[int]] | Rearrangement] = field(
        default_factory=dict
    )
    #: with units: what becomes of a board ``[H, W]`` (`VecEnv.unit_cell` counts its cells)
    board: Rearrangement | None = None
    #: what `VecEnv.save` gave -> the same games, transformed, as `VecEnv.load` takes them; only `check_env` asks. None:
    #: games begin where the transformation leaves everything as it is.
    state: Callable[[State], State] | None = None


@dataclass(frozen=True)
class Symmetries:
    """Everything that an env declares."""

    #: transformations of which all others are made
    generators: tuple[Symmetry, ...]
    #: with units that stand on a board: its height and width
    board: tuple[int, int] | None = None
    #: part (of the seat or of units) -> numbers of it, counted flat, that need not agree: of several equally near
    #: things one is shown, say, and which one depends on the compass
    loose: Mapping[str, Sequence[int]] = field(default_factory=dict)
    #: what `check_env` can hold against the env: "games", transformed games with transformed actions go on alike to the
    #: bit; "moments", a transformed state shows what it should, but chance or an order of play may lead it elsewhere;
    #: "none", the env can neither be put into a transformed state nor begins in one that stays as it is
    check: Literal["games", "moments", "none"] = "games"
