"""Lux on boards of several sizes in one batch: a `LuxS1` for each size, and all that they expose brought together.

Game i plays boards of the size ``(i + i // K) % K`` of K, whatever N is: the first K games have all sizes, and every size
is met from both seats where the learning seat goes round. Planes have the size of the largest board; a smaller one lies
in their north-west corner, what fills it up is 0, and `inside` says which is which. A unit's cell is a place of these
planes. The rules know nothing of this: each part plays its own boards, bit for bit as it would alone.
"""

from collections.abc import Callable
from concurrent.futures import wait

import numpy as np

from lanista.arrays import AnyArray, IntArray
from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista.spec import INSIDE
from lanista_envs.blocks import refuse_num_games, refuse_state
from lanista_envs.lux.compiled import lux_threads
from lanista_envs.lux.env import LuxS1, refuse_choices
from lanista_envs.lux.facts import NUM_FACTS
from lanista_envs.lux.settings import LuxS1Settings
from lanista_envs.lux.sights import make_table
from lanista_envs.lux.spec import FEATURES, HEAD, KNOWS, PLANES, WINDOW, lux_spec
from lanista_envs.lux.unit_rows import NUM_FEATURES
from lanista_envs.lux.window import NUM_CELLS, NUM_CHANNELS


def make_lux(num_games: int, settings: LuxS1Settings | None = None, num_threads: int = 1) -> VecEnv:
    """The env `lux_s1`: a `LuxS1`, or a `LuxSizes` where the settings name several sizes."""
    if settings is not None and settings.sizes:
        return LuxSizes(num_games, settings, num_threads)
    return LuxS1(num_games, settings, num_threads)


class LuxSizes(VecEnv):
    """N games of Lux on boards of several sizes. Players may read the `parts`, whose games are those of `where`."""

    def __init__(self, num_games: int, settings: LuxS1Settings, num_threads: int = 1) -> None:
        """Allocate for `num_games`; `num_threads` > 1 shares out the sizes."""
        refuse_num_games("lux_s1", num_games)
        self.settings = settings
        self.spec = lux_spec(settings)
        self.num_games = n = num_games
        self._num_threads = num_threads
        number, count = np.arange(n), len(settings.sizes)
        self.variants = tuple(f"{size}x{size}" for size in settings.sizes)
        self.variant = (number + number // count) % count
        #: the games of each size that is played, by rising size, and their numbers here
        self.parts: list[LuxS1] = []
        self.where: list[IntArray] = []
        for place in np.argsort(settings.sizes).tolist():
            where = np.flatnonzero(self.variant == place)
            if len(where):
                alone = settings.model_copy(update={"size": settings.sizes[place], "sizes": ()})
                self.parts.append(LuxS1(len(where), alone, 1, numbers=where))
                self.where.append(where)
        self._allocate()
        self._bring_together()

    def _allocate(self) -> None:
        n, side, settings = self.num_games, self.settings.largest, self.settings
        shapes = {part.name: (part.shape, part.dtype) for part in self.spec.observation}
        self.observation = {name: np.zeros((n, 2, *shape), dtype) for name, (shape, dtype) in shapes.items()}
        self.final_observation = {name: part.copy() for name, part in self.observation.items()}
        for part, where in zip(self.parts, self.where, strict=True):
            if INSIDE in shapes:
                size = part.settings.size
                for shown in (self.observation, self.final_observation):
                    shown[INSIDE][where, :, :, :size, :size] = 1
        self.legal = {}
        self.acting = np.ones((n, 2), np.bool_)
        self._facts = np.zeros((NUM_FACTS, n, 2), np.float32)
        self._final_facts = np.zeros((NUM_FACTS, n, 2), np.float32)
        names = [fact.name for fact in self.spec.facts]
        self.facts = dict(zip(names, self._facts, strict=True))
        self.final_facts = dict(zip(names, self._final_facts, strict=True))
        self.outcome = np.zeros((n, 2), np.float32)
        self.terminated, self.truncated = np.zeros((n, 2), np.bool_), np.zeros((n, 2), np.bool_)
        self.ended = np.zeros(n, np.bool_)
        #: ``[N]`` int64: the seed of each game's map
        self.map_seed = np.zeros(n, np.int64)
        self.unit_offsets = np.zeros(2 * n + 1, np.int64)
        self._table = make_table(0, NUM_FEATURES if settings.observation != "planes" else 0)
        #: where the rows of each part's table of units are in this one's
        self.rows: list[IntArray] = []
        #: by part, the cell of the largest board's planes for each of its own
        self._cells = [
            np.arange(part.settings.size**2) // part.settings.size * side
            + np.arange(part.settings.size**2) % part.settings.size
            for part in self.parts
        ]

    def reset(self, seed: int) -> None:
        """Start all games on the official maps of their streams."""
        self._each(lambda part, _: part.reset(seed))
        for final in (self.final_observation.get(PLANES), self.final_observation[KNOWS], self._final_facts):
            if final is not None:
                final[:] = 0
        self._bring_together()

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Play one turn; an illegal choice is an error, and then nothing has happened."""
        choices = np.ascontiguousarray(actions[HEAD], np.int64)
        refuse_choices(choices, len(self.unit_row), self._table)
        self._each(lambda part, place: part.step({HEAD: choices[self.rows[place]]}))
        self._bring_together()

    def _each(self, play: Callable[[LuxS1, int], None]) -> None:
        """Call ``play(part, place)`` for all parts; the largest boards, which take longest, are this thread's own."""
        if self._num_threads == 1 or len(self.parts) == 1:
            for place, part in enumerate(self.parts):
                play(part, place)
            return
        threads = lux_threads(self._num_threads - 1)
        others = [threads.submit(play, part, place) for place, part in enumerate(self.parts[:-1])]
        try:
            play(self.parts[-1], len(self.parts) - 1)
        finally:
            wait(others)
        for other in others:
            other.result()

    def _bring_together(self) -> None:
        """Copy what the parts expose to where it is exposed."""
        counts = np.zeros((self.num_games, 2), np.int64)
        for part, where in zip(self.parts, self.where, strict=True):
            shown = part.shown
            self.observation[KNOWS][where] = shown.knows
            self._facts[:, where] = shown.facts
            self.outcome[where], self.terminated[where] = shown.outcome, shown.terminated
            self.ended[where], self.map_seed[where] = shown.ended, shown.map_seed
            counts[where] = shown.counts.reshape(-1, 2)
            if PLANES in self.observation:
                size = part.settings.size
                self.observation[PLANES][where, :, :, :size, :size] = part.observation[PLANES]
            if shown.ended.any():
                self._keep_endings(part, where)
        np.cumsum(counts.reshape(-1), out=self.unit_offsets[1:])
        self._show_units()

    def _keep_endings(self, part: LuxS1, where: IntArray) -> None:
        over = np.flatnonzero(part.ended)
        games = where[over]
        self.final_observation[KNOWS][games] = part.shown.final_knows[over]
        self._final_facts[:, games] = part.shown.final_facts[:, over]
        if PLANES in self.observation:
            size = part.settings.size
            planes = part.final_observation[PLANES][over]
            self.final_observation[PLANES][games, :, :, :size, :size] = planes

    def _show_units(self) -> None:
        """Fill the table of units, by game and by seat, from those of the parts."""
        count = int(self.unit_offsets[-1])
        if count > len(self._table.row):
            self._table = make_table(count + count // 4, self._table.features.shape[1])
        table = self._table
        self.rows = []
        for part, where, cells in zip(self.parts, self.where, self._cells, strict=True):
            seats = (2 * where[:, None] + np.arange(2)).reshape(-1)
            own = part.unit_row
            rows = np.arange(len(own)) + (self.unit_offsets[seats] - part.unit_offsets[:-1])[own]
            table.row[rows], table.cell[rows] = seats[own], cells[part.unit_cell]
            table.kind[rows], table.legal[rows] = part.unit_kind, part.unit_legal
            if part.unit_observation:
                table.features[rows] = part.unit_observation[FEATURES]
                table.windows[rows] = part.table.windows[: len(own)]
            self.rows.append(rows)
        self.unit_row, self.unit_cell = table.row[:count], table.cell[:count]
        self.unit_kind, self.unit_legal = table.kind[:count], table.legal[:count]
        self.unit_observation = {}
        if table.features.shape[1]:
            windows = table.windows[:count].view(np.int8).reshape(count, NUM_CELLS, NUM_CHANNELS)
            self.unit_observation = {FEATURES: table.features[:count], WINDOW: windows}

    def save(self) -> dict[str, AnyArray]:
        """Copies of the whole state."""
        return {
            f"{part.settings.size}.{name}": array
            for part in self.parts
            for name, array in part.save().items()
        }

    def load(self, state: dict[str, AnyArray]) -> None:
        """Take back what `save` gave."""
        refuse_state("lux_s1", self.save(), state)
        for part in self.parts:
            first = f"{part.settings.size}."
            part.load(
                {name.removeprefix(first): array for name, array in state.items() if name.startswith(first)}
            )
        self._bring_together()

    def render(self, game: int) -> str:
        """The board, north first: two letters a cell, the ground and a unit."""
        part, place = self.part_of(game)
        return part.render(place)

    def part_of(self, game: int) -> tuple[LuxS1, int]:
        """The part that plays a game, and which of its games that is."""
        for part, where in zip(self.parts, self.where, strict=True):
            found = np.flatnonzero(where == game)
            if len(found):
                return part, int(found[0])
        raise UsageError(f"env lux_s1 has the games 0 to {self.num_games - 1}, and no game {game}")
