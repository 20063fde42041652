"""Lux AI Season 1 as a VecEnv: two seats at once, a flat table of acting units, three compiled calls a step."""

import numpy as np

from lanista.arrays import AnyArray, IntArray
from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista_envs.blocks import Games as Arrays
from lanista_envs.blocks import clear, refuse_num_games, refuse_state
from lanista_envs.lux import facts, stepping
from lanista_envs.lux.choices import UNITS
from lanista_envs.lux.compiled import Crew, lux_kernels
from lanista_envs.lux.control import PLAY, ROWS, SHOW
from lanista_envs.lux.games import refuse_orders, refuse_size
from lanista_envs.lux.maps import seeds_of
from lanista_envs.lux.overview import NUM_GLOBALS
from lanista_envs.lux.planes import NUM_PLANES
from lanista_envs.lux.scratch import allocate_scratch, count_blocks
from lanista_envs.lux.settings import LuxS1Settings
from lanista_envs.lux.sights import Table, make_table
from lanista_envs.lux.spec import FEATURES, HEAD, KNOWS, PLANES, WINDOW, lux_spec
from lanista_envs.lux.state import ORDER_COLUMNS, Orders, allocate, make_board
from lanista_envs.lux.text import draw_game
from lanista_envs.lux.unit_rows import NUM_FEATURES
from lanista_envs.lux.window import NUM_CELLS, NUM_CHANNELS

#: rows a seat that there is room for at first; the table grows when a turn needs more
_ROWS = 8


class LuxS1(VecEnv):
    """N games of Lux. Players may read the state (`games`, `board`) and turn orders into choices (`choices_of`)."""

    def __init__(
        self,
        num_games: int,
        settings: LuxS1Settings | None = None,
        num_threads: int = 1,
        numbers: IntArray | None = None,
    ) -> None:
        """Allocate for `num_games`; `num_threads` > 1 shares out blocks of games.

        `numbers` (``[N]``) are the games' own in the streams of a seed, where these are some of a larger batch.
        """
        refuse_num_games("lux_s1", num_games)
        self.settings = settings = settings or LuxS1Settings()
        if settings.sizes:
            raise UsageError(
                f"LuxS1 was asked for boards of the sizes {settings.sizes}; it plays one size, take LuxSizes"
            )
        size, n = settings.size, num_games
        refuse_size(size, size)
        self.spec = lux_spec(settings)
        self.num_games = n
        #: what all boards share, the whole state, and what is shown of it; nobody but the env writes to them
        self.board = make_board(size, size)
        self.games = allocate(n, size, size)
        self.games.over[:] = True
        self._scratch = allocate_scratch(n, size, size)
        self.shown = shown = _allocate(n, size * size, settings.observation != "units")
        seeds = seeds_of(settings.maps)
        self._draws = stepping.Draws(
            np.arange(n) if numbers is None else numbers.copy(), np.array([seeds.start, len(seeds)])
        )
        self._num_features = NUM_FEATURES if settings.observation != "planes" else 0
        self._seed = 0
        self._kernels = lux_kernels()
        self._crew = Crew(num_threads)

        self.observation = _named(shown.planes, shown.knows, size)
        self.final_observation = _named(shown.final_planes, shown.final_knows, size)
        self.legal = {}
        self.acting = np.ones((n, 2), np.bool_)
        names = [fact.name for fact in self.spec.facts]
        self.facts = dict(zip(names, shown.facts, strict=True))
        self.final_facts = dict(zip(names, shown.final_facts, strict=True))
        self.outcome, self.terminated, self.ended = shown.outcome, shown.terminated, shown.ended
        self.truncated = np.zeros((n, 2), np.bool_)
        self.unit_offsets = shown.offsets
        #: ``[N]`` int64: the seed of each game's map
        self.map_seed = shown.map_seed
        self._make_room(2 * n * _ROWS)
        self._show_units()

    def _make_room(self, rows: int) -> None:
        #: the table of units, with room for more
        self.table = make_table(rows, self._num_features)
        self._orders = np.zeros((rows, ORDER_COLUMNS), np.int16)
        self._choices = np.zeros(rows, np.int64)

    def _show_units(self) -> None:
        """Fill the table of units and cut it to its length."""
        if self.shown.fault.any():
            size = self.settings.size
            raise UsageError(
                f"env lux_s1: no map was found for a board of {size} x {size}; take a larger one, or an even side"
            )
        count = int(self.unit_offsets[-1])
        if count > len(self._orders):
            self._make_room(count + count // 4)
        table = self.table
        self._share(ROWS)
        self.unit_row, self.unit_cell = table.row[:count], table.cell[:count]
        self.unit_kind, self.unit_legal = table.kind[:count], table.legal[:count]
        #: ``[U]`` int64: a unit's place in `games.unit_id[game, seat]`; the cell of a city tile
        self.unit_slot = table.slot[:count]
        self.unit_observation = {}
        if self._num_features:
            windows = table.windows[:count].view(np.int8).reshape(count, NUM_CELLS, NUM_CHANNELS)
            self.unit_observation = {FEATURES: table.features[:count], WINDOW: windows}

    def reset(self, seed: int) -> None:
        """Start all games on the official maps of their streams."""
        clear(self.shown)
        self.games.over[:] = True
        self._seed = seed
        self._show()

    def _show(self, phase: int = SHOW) -> None:
        """Bring everything that is exposed up to date, after a turn if that is the phase."""
        self._share(phase)
        np.cumsum(self.shown.counts, out=self.unit_offsets[1:])
        self._show_units()

    def _share(self, phase: int) -> None:
        """Do a phase of the step for all blocks of games, by all threads."""
        self._crew.run(
            self._kernels.share_step, phase, count_blocks(self.num_games), self._choices, self._orders, self._seed,
            self._draws, self.settings.max_turns, self.board, self.games, self._scratch, self.table, self.shown,
        )  # fmt: skip

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Play one turn; an illegal choice is an error, and then nothing has happened."""
        choices = np.ascontiguousarray(actions[HEAD], np.int64)
        refuse_choices(choices, len(self.unit_row), self.table)
        self._choices[: len(choices)] = choices
        self.ended[:] = False
        self.terminated[:] = False
        self.outcome[:] = 0.0
        self._show(PLAY)

    def choices_of(self, orders: Orders) -> tuple[IntArray, int]:
        """The choices (``[U]``) that come nearest to orders of the rules, and how many orders became one."""
        refuse_orders(orders, self.num_games)
        choices = np.zeros(len(self.unit_row), np.int64)
        count = self._kernels.read_choices(
            orders, self.board, self.games, self.table, self.unit_offsets, choices
        )
        return choices, int(count)

    def save(self) -> dict[str, AnyArray]:
        """Copies of the whole state."""
        return {name: array.copy() for name, array in self._state().items()} | {"seed": np.array(self._seed)}

    def load(self, state: dict[str, AnyArray]) -> None:
        """Take back what `save` gave."""
        own = self._state()
        refuse_state("lux_s1", {"seed": np.array(self._seed)} | own, state)
        for name, array in own.items():
            np.copyto(array, state[name])
        self._seed = int(state["seed"])
        self._show()

    def _state(self) -> dict[str, AnyArray]:
        """All arrays that hold the state, by name."""
        parts: dict[str, Arrays] = {"games": self.games, "shown": self.shown}
        return {
            f"{part}.{name}": array
            for part, arrays in parts.items()
            for name, array in zip(arrays._fields, arrays, strict=True)
        }

    def render(self, game: int) -> str:
        """The board, north first: two letters a cell, the ground and a unit."""
        return draw_game(game, self.board, self.games)


def refuse_choices(choices: IntArray, count: int, table: Table) -> None:
    """Raise unless there is a legal choice for each of the first `count` rows of a table of units."""
    if choices.shape != (count,):
        raise UsageError(
            f"env lux_s1: {HEAD} has the shape {choices.shape}; give a choice for each of the {count} rows of the "
            f"table of units"
        )
    illegal = lux_kernels().find_illegal(choices, table)
    if illegal == stepping.ALL_LEGAL:
        return
    row = int(table.row[illegal])
    name, size = UNITS[int(table.kind[illegal])]
    choice = int(choices[illegal])
    fault = "is not legal now" if 0 <= choice < size else f"does not exist, there are {size}"
    raise UsageError(
        f"env lux_s1: the {name} of row {illegal} (seat {row % 2} of game {row // 2}) is given choice {choice}, "
        f"which {fault}; take one with unit_legal True"
    )


def _allocate(n: int, cells: int, planes: bool) -> stepping.Shown:
    """Empty arrays for n games."""
    num_planes = NUM_PLANES if planes else 0
    return stepping.Shown(
        planes=np.zeros((n, 2, num_planes, cells), np.uint8),
        knows=np.zeros((n, 2, NUM_GLOBALS), np.float32),
        facts=np.zeros((facts.NUM_FACTS, n, 2), np.float32),
        ended=np.zeros(n, np.bool_),
        terminated=np.zeros((n, 2), np.bool_),
        outcome=np.zeros((n, 2), np.float32),
        final_planes=np.zeros((n, 2, num_planes, cells), np.uint8),
        final_knows=np.zeros((n, 2, NUM_GLOBALS), np.float32),
        final_facts=np.zeros((facts.NUM_FACTS, n, 2), np.float32),
        episode=np.zeros(n, np.int64),
        map_seed=np.zeros(n, np.int64),
        fault=np.zeros(n, np.int64),
        counts=np.zeros(2 * n, np.int64),
        offsets=np.zeros(2 * n + 1, np.int64),
    )


def _named(planes: AnyArray, knows: AnyArray, size: int) -> dict[str, AnyArray]:
    """The parts of an observation, by name."""
    if planes.shape[2] == 0:
        return {KNOWS: knows}
    return {PLANES: planes.reshape(*planes.shape[:3], size, size), KNOWS: knows}
