"""A kept game, and how games lie side by side as the arrays of one part (docs/kept-games.md).

A part holds G games of S seats: P steps over all its games, D decisions (a seat that acted in a step), and U rows
of units where the env has a head of the kind ``"units"``. Whatever a decision was made from is what its seat saw
*before* the action.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lanista.arrays import AnyArray, BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class KeptGame:
    """One finished game: L steps, S seats, D decisions in the order of step, then seat."""

    #: a name for each seat
    players: tuple[str, ...]
    #: ``[S]`` as `EnvSpec.outcome` says
    outcome: FloatArray
    #: ``[S]``: whether the game was cut off for this seat by a limit
    truncated: BoolArray
    #: ``[L, S]``: who had to act; of a thinned game, whose decision is there
    acting: BoolArray
    #: ``[L, S]``: of those, whose action was drawn at random by the phase (`random_opening`), not chosen
    random: BoolArray
    #: ``[L, S]``: the official reward of the step
    reward: FloatArray
    #: part -> ``[D, *shape]``
    observation: dict[str, AnyArray]
    #: head -> ``[D, A]`` bool, for the heads that have a mask
    legal: dict[str, BoolArray]
    #: head -> ``[D]`` int64, ``[D, A]`` float32 (gaussian), ``[U]`` int64 (units)
    action: dict[str, AnyArray]
    #: ``offsets`` ``[D + 1]``, ``cell`` ``[U]``, ``kind`` ``[U]``, ``legal`` ``[U, A]`` and
    #: ``observation.<part>`` ``[U, *shape]``; empty without a head of units
    units: dict[str, AnyArray] = field(default_factory=dict)

    @property
    def step(self) -> IntArray:
        """``[D]``: the step of each decision."""
        return np.nonzero(self.acting)[0]

    @property
    def seat(self) -> IntArray:
        """``[D]``: the seat of each decision."""
        return np.nonzero(self.acting)[1]

    @property
    def return_(self) -> FloatArray:
        """``[S]``: the sum of the official reward."""
        total: FloatArray = self.reward.sum(axis=0, dtype=np.float64).astype(np.float32)
        return total


def arrays_of(games: Sequence[KeptGame], names: Sequence[str]) -> dict[str, AnyArray]:
    """The arrays of a part, of at least one game; `names` are the players that ``player`` counts in."""
    places = {name: place for place, name in enumerate(names)}
    first = games[0]
    arrays: dict[str, AnyArray] = {
        "step_offsets": _offsets([len(game.acting) for game in games]),
        "player": np.array([[places[name] for name in game.players] for game in games], np.int32),
        "outcome": np.stack([game.outcome for game in games]),
        "truncated": np.stack([game.truncated for game in games]),
    }
    for name in ("acting", "random", "reward"):
        arrays[name] = np.concatenate([getattr(game, name) for game in games])
    for group in ("observation", "legal", "action"):
        for name in getattr(first, group):
            arrays[f"{group}.{name}"] = np.concatenate([getattr(game, group)[name] for game in games])
    for name in first.units:
        if name == "offsets":
            counts = np.concatenate([np.diff(game.units["offsets"]) for game in games])
            arrays["unit_offsets"] = _offsets(counts.tolist())
        else:
            arrays[f"unit_{name}"] = np.concatenate([game.units[name] for game in games])
    return arrays


def games_of(
    arrays: Mapping[str, AnyArray], names: Sequence[str], unit_heads: Sequence[str]
) -> Iterator[KeptGame]:
    """The games of a part, from its arrays; `unit_heads` are the heads whose actions lie a row a unit."""
    steps, acting = arrays["step_offsets"].tolist(), arrays["acting"]
    decisions = _offsets(acting.sum(axis=1).tolist()).tolist()
    units = _under("unit_", arrays)
    for game in range(len(steps) - 1):
        low, high = steps[game], steps[game + 1]
        rows = slice(decisions[low], decisions[high])
        own: dict[str, AnyArray] = {}
        unit_rows = rows
        if units:
            offsets = units["offsets"][rows.start : rows.stop + 1]
            unit_rows = slice(int(offsets[0]), int(offsets[-1]))
            own = {name: array[unit_rows] for name, array in units.items() if name != "offsets"}
            own["offsets"] = offsets - offsets[0]
        yield KeptGame(
            players=tuple(names[place] for place in arrays["player"][game].tolist()),
            outcome=arrays["outcome"][game],
            truncated=arrays["truncated"][game],
            acting=acting[low:high],
            random=arrays["random"][low:high],
            reward=arrays["reward"][low:high],
            observation={name: part[rows] for name, part in _under("observation.", arrays).items()},
            legal={name: mask[rows] for name, mask in _under("legal.", arrays).items()},
            action={
                name: taken[unit_rows if name in unit_heads else rows]
                for name, taken in _under("action.", arrays).items()
            },
            units=own,
        )


def size_of(game: KeptGame) -> int:
    """Bytes of a game's arrays, before packing."""
    groups = (game.observation, game.legal, game.action, game.units)
    own = game.acting.nbytes + game.random.nbytes + game.reward.nbytes
    return own + sum(array.nbytes for group in groups for array in group.values())


def _offsets(counts: Sequence[int]) -> IntArray:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.array(counts, np.int64))])


def _under(start: str, arrays: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    return {name[len(start) :]: array for name, array in arrays.items() if name.startswith(start)}
