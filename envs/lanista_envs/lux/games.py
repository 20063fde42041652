"""N games of Lux on boards of one size: the arrays, the compiled rules, and two calls, `start` and `play`."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lanista.errors import UsageError
from lanista_envs.lux import arc4, scratch, state
from lanista_envs.lux.compiled import Crew, lux_kernels

#: the smallest side that leaves room for the resources that a map must have
MIN_SIDE = 6

_FAULTS = {
    1: "has no room for the resources that a map must have; take a larger board",
    2: "would put both teams into the same place, which boards with an odd side can; take another seed",
}


class LuxGames:
    """N games in lock-step. `state` is the whole state, owned here and overwritten in place."""

    def __init__(self, num_games: int, width: int, height: int | None = None, num_threads: int = 1) -> None:
        """Allocate; every game is over until it is started."""
        height = width if height is None else height
        refuse_size(width, height)
        if num_games < 1:
            raise UsageError(f"LuxGames was asked for {num_games} games; ask for 1 or more")
        self.num_games, self.width, self.height = num_games, width, height
        self.board = state.make_board(width, height)
        self.state = state.allocate(num_games, width, height)
        self.state.over[:] = True
        self._scratch = scratch.allocate_scratch(num_games, width, height)
        self._crew = Crew(num_threads)
        self._shares = num_threads > 1
        self._orders = state.Orders(
            np.zeros((0, state.ORDER_COLUMNS), np.int16), np.zeros(2 * num_games + 1, np.int64)
        )
        self._kernels = lux_kernels()

    def start(self, seeds: Sequence[int] | npt.NDArray[np.int64], which: npt.ArrayLike | None = None) -> None:
        """Start the games `which` (all, without it) on the official maps of `seeds`, one for each."""
        games = np.arange(self.num_games) if which is None else np.asarray(which, np.int64).reshape(-1)
        if len(seeds) != len(games):
            raise UsageError(
                f"{len(games)} games are to be started with {len(seeds)} seeds; give one for each"
            )
        for seed in seeds:
            refuse_seed(int(seed))
        if len(games) and not (games.min() >= 0 and games.max() < self.num_games):
            raise UsageError(
                f"games {games.min()} to {games.max()} are to be started; they count from 0 to {self.num_games - 1}"
            )
        faults = np.zeros(len(games), np.int64)
        self._crew.run(
            self._kernels.share_starts, 0, len(games), games, np.asarray(seeds, np.int64), faults,
            self.board, self.state,
        )  # fmt: skip
        for k in np.flatnonzero(faults).tolist():
            raise UsageError(
                f"the map of seed {seeds[k]} on {self.width} x {self.height} {_FAULTS[int(faults[k])]}"
            )

    def play(self, orders: state.Orders, max_turns: int = state.MAX_TURNS) -> None:
        """Play one turn of all games that are not over; what the rules refuse among `orders` is dropped."""
        refuse_orders(orders, self.num_games)
        self._crew.run(
            self._kernels.share_turn, 0, scratch.count_blocks(self.num_games),
            self._keep(orders) if self._shares else orders, max_turns, self.board, self.state, self._scratch,
        )  # fmt: skip

    def _keep(self, orders: state.Orders) -> state.Orders:
        """A copy in arrays that stay the same from turn to turn, so that threads which have them go on helping."""
        count = len(orders.rows)
        if count > len(self._orders.rows):
            rows = np.zeros((count + count // 4, state.ORDER_COLUMNS), np.int16)
            self._orders = state.Orders(rows, self._orders.offsets)
        self._orders.rows[:count] = orders.rows
        self._orders.offsets[:] = orders.offsets
        return self._orders


def refuse_size(width: int, height: int) -> None:
    """Raise unless the official generator makes maps of this size."""
    if not (MIN_SIDE <= width <= state.MAX_SIDE and MIN_SIDE <= height <= state.MAX_SIDE):
        raise UsageError(
            f"a Lux board of {width} x {height} was asked for; its sides go from {MIN_SIDE} to {state.MAX_SIDE}"
        )
    if width > 2 * height or height > 2 * width:
        raise UsageError(
            f"a Lux board of {width} x {height} was asked for, and the official generator breaks down on boards "
            f"more than twice as long as they are wide; take a square one"
        )


def refuse_seed(seed: int) -> None:
    """Raise unless `seed` is an integer to JavaScript."""
    if abs(seed) > arc4.MAX_SEED:
        raise UsageError(
            f"seed {seed} is beyond what the official program tells apart; stay within 2**53 - 1"
        )


def refuse_orders(orders: state.Orders, num_games: int) -> None:
    """Raise unless the arrays have the shapes, the types and the rising offsets that the kernels rely on."""
    rows, offsets = orders
    if rows.ndim != 2 or rows.shape[1] != state.ORDER_COLUMNS or rows.dtype != np.int16:
        raise UsageError(
            f"orders have rows of shape {rows.shape} {rows.dtype}; give [K, {state.ORDER_COLUMNS}] int16"
        )
    if offsets.shape != (2 * num_games + 1,) or offsets.dtype != np.int64:
        raise UsageError(
            f"orders have offsets of shape {offsets.shape} {offsets.dtype}; give [{2 * num_games + 1}] int64"
        )
    if offsets[0] < 0 or offsets[-1] > len(rows) or bool((offsets[1:] < offsets[:-1]).any()):
        raise UsageError(
            f"orders have offsets from {offsets[0]} to {offsets[-1]} for {len(rows)} rows; "
            f"they must rise, within the rows"
        )
