"""The decisions of recorded games as rows to learn from: what was seen before the action, and what was done.

Games are split, whole, into those that are learnt from and those that are held out. Players that draw nothing from a
fixed start play one game again and again: games that are equal move by move are one game here, on one side.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lanista.arrays import AnyArray, BoolArray, FloatArray
from lanista.errors import RecipeError
from lanista.games.kept_games import KeptGame
from lanista.games.thinning import digest_of
from lanista.spec import UNITS, EnvSpec
from lanista.units import UnitTable
from lanista_plugins.phases.clone_settings import CloneSettings
from lanista_plugins.phases.labelled import LabelledBatch


@dataclass(frozen=True)
class ClonedBatch(LabelledBatch):
    """B decisions; the label is what was done, there are no logits, and `value` is NaN where nothing is known."""

    #: head -> ``[B]``, ``[B, A]`` of real numbers, ``[U]`` of units
    action: dict[str, Tensor]


@dataclass
class Counts:
    """What became of the decisions of the games."""

    games: int = 0
    #: equal ones counted once
    distinct: int = 0
    #: random moves and those of seats and players that are not asked for are no decisions
    decisions: int = 0
    #: left out, because our masks forbid what was done there
    forbidden: int = 0


@dataclass
class ClonedRows:
    """All decisions, in memory; tensors are named ``observation.<part>``, ``legal.<head>``, ``action.<head>``."""

    spec: EnvSpec
    _tensors: dict[str, Tensor]
    _units: UnitTable | None
    #: ``[D]``: the number of each decision's game, equal games having one
    game: AnyArray
    counts: Counts

    def __len__(self) -> int:
        """D."""
        return len(self.game)

    def take(self, index: Tensor) -> ClonedBatch:
        """The decisions by number, in their order."""
        drawn = {name: tensor.index_select(0, index) for name, tensor in self._tensors.items()}

        def under(group: str) -> dict[str, Any]:
            return {name[len(group) :]: part for name, part in drawn.items() if name.startswith(group)}

        observation, legal, action = under("observation."), under("legal."), under("action.")
        head = self.spec.units_head
        if self._units is not None and head is not None:
            table = self._units.index_select(0, index)
            observation[UNITS] = legal[head.name] = table
            action[head.name] = table.further["action"]
        return ClonedBatch(observation, legal, {}, drawn["value"], action)

    def split(self, held_out: float, seed: int) -> tuple[Tensor, Tensor]:
        """The numbers of the decisions to learn from, and of those of the games held out."""
        games = np.unique(self.game)
        count = min(max(1, round(held_out * len(games))), len(games) - 1)
        order = torch.randperm(len(games), generator=torch.Generator().manual_seed(seed)).numpy()
        out = np.isin(self.game, games[order[:count]])
        return torch.from_numpy(np.flatnonzero(~out)), torch.from_numpy(np.flatnonzero(out))


@dataclass
class _Gathered:
    """Arrays of one game after another."""

    arrays: dict[str, list[AnyArray]] = field(default_factory=dict)
    tables: list[UnitTable] = field(default_factory=list)
    game: list[AnyArray] = field(default_factory=list)

    def add(self, name: str, array: AnyArray) -> None:
        self.arrays.setdefault(name, []).append(array)


def cloned_rows(games: Iterable[KeptGame], spec: EnvSpec, settings: CloneSettings, phase: str) -> ClonedRows:
    """Read the decisions that the settings ask for; raises `RecipeError` if there are too few."""
    counts, gathered, known = Counts(), _Gathered(), dict[bytes, int]()
    names: set[str] = set()
    for game in games:
        counts.games += 1
        names |= set(game.players)
        chosen = np.flatnonzero(_asked(game, settings))
        counts.decisions += len(chosen)
        sayable = _sayable(game, spec)[chosen]
        counts.forbidden += int((~sayable).sum())
        number = known.setdefault(digest_of(game), len(known))
        _gather(gathered, game, chosen[sayable], number, spec, settings)
    counts.distinct = len(known)
    found = len(set(np.concatenate(gathered.game).tolist())) if gathered.game else 0
    if found < 2:
        asked = f" of {', '.join(settings.imitate)}" if settings.imitate else ""
        raise RecipeError(
            f"phase {phase!r}: {counts.games} games, {counts.distinct} of them different, hold {counts.decisions} decisions"
            f"{asked} to learn from ({counts.forbidden} of them forbidden by the masks) in {found} of them, and two games "
            f"are needed at least; players there are {', '.join(sorted(names)) or 'none'}; give more games, or "
            f"random_opening to players that play one game again and again"
        )
    return ClonedRows(
        spec,
        {name: torch.from_numpy(np.concatenate(arrays)) for name, arrays in gathered.arrays.items()},
        UnitTable.joined(gathered.tables) if gathered.tables else None,
        np.concatenate(gathered.game),
        counts,
    )


def _asked(game: KeptGame, settings: CloneSettings) -> BoolArray:
    """``[D]``: the decisions of the seats and players that are asked for, without random moves."""
    seat, outcome = game.seat, game.outcome
    asked: BoolArray = ~game.random[game.acting]
    if settings.imitate:
        asked = asked & np.isin(np.array(game.players)[seat], settings.imitate)
    if settings.seats == "winner":
        best = outcome == outcome.max()
        asked = asked & (best & (best.sum() == 1))[seat]
    return asked


def _sayable(game: KeptGame, spec: EnvSpec) -> BoolArray:
    """``[D]``: what was done has a choice (-1 says that it has none), legal by the masks; of units, all of theirs."""
    sayable = np.ones(len(game.seat), np.bool_)
    for head in spec.heads:
        action = game.action[head.name]
        if head.kind == UNITS:
            legal = (action >= 0) & game.units["legal"][np.arange(len(action)), action]
            row = np.repeat(np.arange(len(sayable)), np.diff(game.units["offsets"]))
            sayable[row[~legal]] = False
        elif head.name in game.legal:
            sayable &= (action >= 0) & game.legal[head.name][np.arange(len(action)), action]
    return sayable


def _targets(game: KeptGame, spec: EnvSpec, settings: CloneSettings) -> FloatArray:
    """``[D]``: what the value is to learn; a return that was cut off is not known."""
    wanted = settings.value or ("outcome" if spec.outcome == "result" else "return")
    steps, (step, seat) = len(game.acting), (game.step, game.seat)
    if wanted == "none":
        return np.full(len(step), np.nan, np.float32)
    if wanted == "outcome":
        ahead: FloatArray = settings.gamma ** (steps - 1 - step) * game.outcome[seat]
        return ahead.astype(np.float32)
    total = np.zeros((steps + 1, spec.seats), np.float64)
    for t in range(steps - 1, -1, -1):
        total[t] = game.reward[t] + settings.gamma * total[t + 1]
    total[:, game.truncated] = np.nan
    return total[step, seat].astype(np.float32)


def _gather(
    gathered: _Gathered, game: KeptGame, rows: AnyArray, number: int, spec: EnvSpec, settings: CloneSettings
) -> None:
    """Put the decisions `rows` of a game to the others."""
    head = spec.units_head
    for name, part in game.observation.items():
        gathered.add(f"observation.{name}", part[rows])
    for name, mask in game.legal.items():
        gathered.add(f"legal.{name}", mask[rows])
    for name, action in game.action.items():
        if head is None or name != head.name:
            gathered.add(f"action.{name}", action[rows])
    if head is not None:
        table = UnitTable.of_arrays({**game.units, "further.action": game.action[head.name]})
        gathered.tables.append(table[torch.from_numpy(rows)])
    gathered.add("value", _targets(game, spec, settings)[rows])
    gathered.game.append(np.full(len(rows), number))


def batches(index: Tensor, size: int) -> Iterator[Tensor]:
    """`index` in pieces of nearly equal size, about `size` each."""
    yield from torch.tensor_split(index, max(1, round(len(index) / size)))
