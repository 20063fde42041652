"""Taking finished games out of rollouts while a phase trains, and writing them as parts (`keep_games`).

1. Before each env step `note` copies what the env is about to overwrite: who acts, and what is played.
2. After the rollout `gather` follows the games that were chosen: their stretches are cut out of the rollout's
   arrays, a game that ended is put together, and enough of them become a part.
3. Which games are kept is decided when they begin, so that no short game is favoured.

`state` holds the open and the unwritten games; parts that came after it are deleted when a run goes on from it, so
that a stop and a resume give the same files.
"""

from dataclasses import dataclass, field, fields
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lanista.arrays import AnyArray, BoolArray, FloatArray
from lanista.env import VecEnv
from lanista.games.kept_games import KeptGame, size_of
from lanista.games.parts import Source, drop_parts, write_part
from lanista.games.settings import KeepGames
from lanista.games.thinning import thinned
from lanista.league.member import LEARNER
from lanista.learning import Rollout
from lanista.named_arrays import prefixed, under
from lanista.openings import Openings
from lanista.opponents import Opponents
from lanista.units import UnitTable

#: a part is written once the games that wait take more, in bytes before packing
_PART_BYTES = 16 * 1024 * 1024


#: fields that hold arrays by name
_GROUPS = ("observation", "legal", "action", "units")


@dataclass
class Stretch:
    """Consecutive steps of one game: `KeptGame`'s arrays without the names."""

    acting: BoolArray
    random: BoolArray
    reward: FloatArray
    observation: dict[str, AnyArray]
    legal: dict[str, BoolArray]
    action: dict[str, AnyArray]
    units: dict[str, AnyArray] = field(default_factory=dict)

    def arrays(self) -> dict[str, AnyArray]:
        """By dotted name, for a checkpoint."""
        found: dict[str, AnyArray] = {name: getattr(self, name) for name in ("acting", "random", "reward")}
        for group in _GROUPS:
            found |= prefixed(group, getattr(self, group))
        return found

    @staticmethod
    def of(arrays: dict[str, AnyArray]) -> "Stretch":
        """Take `arrays` apart again."""
        groups = {group: under(group, arrays) for group in _GROUPS}
        return Stretch(arrays["acting"], arrays["random"], arrays["reward"], **groups)


def joined(stretches: list[Stretch]) -> Stretch:
    """One stretch of several that follow on from each other."""
    if len(stretches) == 1:
        return stretches[0]
    first = stretches[0]
    values: dict[str, Any] = {}
    for part in fields(Stretch):
        if part.name == "units" and first.units:
            tables = [UnitTable.of_arrays(stretch.units) for stretch in stretches]
            values[part.name] = UnitTable.joined(tables).arrays()
        elif isinstance(getattr(first, part.name), dict):
            values[part.name] = {
                name: np.concatenate([getattr(stretch, part.name)[name] for stretch in stretches])
                for name in getattr(first, part.name)
            }
        else:
            values[part.name] = np.concatenate([getattr(stretch, part.name) for stretch in stretches])
    return Stretch(**values)


@dataclass
class _Counts:
    """What goes on from rollout to rollout, beside the games themselves."""

    #: games that have begun
    begun: int = 0
    #: games that were chosen: kept ones and open ones
    chosen: int = 0
    #: games in parts on disk
    written: int = 0
    #: bytes of the finished games before packing
    size: int = 0
    #: whether all games begin with the next rollout
    fresh: int = 1


@dataclass
class GameKeeper:
    """Keeps games of one phase; rows are ``game * S + seat``."""

    settings: KeepGames
    env: VecEnv
    num_steps: int
    folder: Path
    source: Source
    opponents: Opponents | None
    openings: Openings | None
    #: share of the phase's steps that is over at the end of the rollout; the phase sets it before each
    progress: float = 0.0
    _counts: _Counts = field(default_factory=_Counts)

    def __post_init__(self) -> None:
        """Nothing is kept yet; the arrays are allocated with the first step."""
        rows = (self.num_steps, self.env.num_games * self.env.spec.seats)
        self._acting = np.zeros(rows, np.bool_)
        self._random = np.zeros(rows, np.bool_)
        self._member = np.zeros((self.num_steps, self.env.num_games), np.int64)
        self._action: dict[str, AnyArray] = {}
        self._open: dict[int, list[Stretch]] = {}
        self._finished: list[KeptGame] = []
        self._cleared = False

    def note(self, t: int, actions: dict[str, AnyArray]) -> None:
        """Copy who acts at step `t` of the rollout, and what is played; call it before the env steps."""
        acting = self.env.acting.reshape(-1)
        self._acting[t] = acting
        if self.openings is not None:
            self._random[t] = self.openings.rows(acting)
        if self.opponents is not None:
            self._member[t] = self.opponents.members
        units = self.env.spec.units_head
        for name, action in actions.items():
            if units is not None and name == units.name:
                continue  # the rollout has what all units choose
            flat = action.reshape(self._acting.shape[1], *action.shape[2:])
            if name not in self._action:
                self._action[name] = np.zeros((self.num_steps, *flat.shape), flat.dtype)
            self._action[name][t] = flat

    def gather(self, rollout: Rollout, ended: BoolArray, official: FloatArray, outcome: FloatArray) -> None:
        """Follow the chosen games through a rollout that is over."""
        if not self._cleared:
            drop_parts(self.folder, self._counts.written)
            self._cleared = True
        started = dict.fromkeys(self._open, 0)
        if self._counts.fresh:
            self._counts.fresh = 0
            for game in range(self.env.num_games):
                if self._choose():
                    started[game] = 0
                    self._open[game] = []
        for t, game in zip(*(places.tolist() for places in np.nonzero(ended)), strict=True):
            if game in started:
                self._open[game].append(self._cut(rollout, official, game, started.pop(game), t + 1))
                self._finish(game, t, rollout, outcome)
            if self._choose():
                started[game] = t + 1
                self._open[game] = []
        for game, start in started.items():
            if start < self.num_steps:
                self._open[game].append(self._cut(rollout, official, game, start, self.num_steps))
        if sum(map(size_of, self._finished)) >= _PART_BYTES:
            self.write()

    def _choose(self) -> bool:
        """Whether the game that begins now is kept."""
        settings, counts, progress = self.settings, self._counts, self.progress
        if progress < settings.since or counts.chosen >= settings.games:
            return False
        counts.begun += 1
        if counts.size >= settings.megabytes * 1e6:
            return False
        if settings.every is not None:
            due = (counts.begun - 1) % settings.every == 0
        else:
            due = counts.chosen < ceil(settings.games * (progress - settings.since) / (1.0 - settings.since))
        counts.chosen += due
        return due

    def _cut(self, rollout: Rollout, official: FloatArray, game: int, start: int, stop: int) -> Stretch:
        """Steps `start` to `stop` of a game, as copies."""
        seats = self.env.spec.seats
        steps, rows = slice(start, stop), slice(game * seats, (game + 1) * seats)
        acting = self._acting[steps, rows].copy()
        units: dict[str, AnyArray] = {}
        orders: dict[str, AnyArray] = {}
        for name, everybody in rollout.units.items():
            places = np.arange(self._acting.size).reshape(self._acting.shape)[steps, rows][acting]
            chosen = torch.from_numpy(rollout.action[name])
            units = everybody.with_further({"action": chosen})[torch.from_numpy(places)].arrays()
            orders[name] = units.pop("further.action")
        return Stretch(
            acting=acting,
            random=self._random[steps, rows] & acting,
            reward=official[steps, rows].copy(),
            observation={name: part[steps, rows][acting] for name, part in rollout.observation.items()},
            legal={name: mask[steps, rows][acting] for name, mask in rollout.legal.items()},
            action={name: taken[steps, rows][acting] for name, taken in self._action.items()} | orders,
            units=units,
        )

    def _finish(self, game: int, t: int, rollout: Rollout, outcome: FloatArray) -> None:
        seats = self.env.spec.seats
        rows = slice(game * seats, (game + 1) * seats)
        players = [LEARNER] * seats
        if self.opponents is not None:
            players = self.opponents.seated(game, int(self._member[t, game]))
        whole = joined(self._open.pop(game))
        game_over = KeptGame(
            players=tuple(players),
            outcome=outcome[t, rows].copy(),
            truncated=rollout.truncated[t, rows].copy(),
            **whole.__dict__,
        )
        kept = thinned(game_over, self.settings.thin, rollout.units)
        self._counts.size += size_of(kept)
        self._finished.append(kept)

    @property
    def num_kept(self) -> int:
        """Finished games that are kept so far, in parts or waiting for one."""
        return self._counts.written + len(self._finished)

    def write(self) -> None:
        """Write the finished games that wait as a part; at the phase's end too."""
        if self._finished:
            write_part(self.folder, self.source, self._counts.written, self._finished)
            self._counts.written += len(self._finished)
            self._finished.clear()

    def games_restarted(self) -> None:
        """Forget the open games: the env was reset between two rollouts."""
        self._counts.chosen -= len(self._open)
        self._open.clear()
        self._counts.fresh = 1

    def state(self) -> dict[str, AnyArray]:
        """Counts, open games and finished games that are in no part yet."""
        counts = self._counts
        arrays: dict[str, AnyArray] = {
            "counts": np.array([getattr(counts, part.name) for part in fields(_Counts)], np.int64)
        }
        for game, stretches in self._open.items():
            arrays[f"open.{game}.begun"] = np.array(len(stretches) > 0)
            if stretches:
                arrays |= prefixed(f"open.{game}", joined(stretches).arrays())
        for place, kept in enumerate(self._finished):
            own = Stretch(**{part.name: getattr(kept, part.name) for part in fields(Stretch)}).arrays()
            own |= {"outcome": kept.outcome, "truncated": kept.truncated}
            own["players"] = np.frombuffer("\n".join(kept.players).encode(), np.uint8)
            arrays |= prefixed(f"finished.{place}", own)
        return arrays

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        self._counts = _Counts(*state["counts"].tolist())
        self._cleared = False
        self._open, self._finished = {}, []
        for game in sorted({int(name.split(".")[1]) for name in state if name.startswith("open.")}):
            own = under(f"open.{game}", state)
            self._open[game] = [Stretch.of(own)] if own.pop("begun") else []
        for place in range(len({name.split(".")[1] for name in state if name.startswith("finished.")})):
            own = under(f"finished.{place}", state)
            names = own["players"].tobytes().decode().split("\n")
            self._finished.append(
                KeptGame(tuple(names), own["outcome"], own["truncated"], **Stretch.of(own).__dict__)
            )
