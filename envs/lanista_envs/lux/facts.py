"""The facts of a Lux game, by seat: what a team has (levels), and what the last turn brought it (flows). Portable."""

import numpy as np
import numpy.typing as npt

from . import tally
from .state import (
    FUEL_BURNT,
    FUEL_STORED,
    GOT_COAL,
    GOT_URANIUM,
    GOT_WOOD,
    LOST_TILES,
    LOST_UNITS,
    NEW_TILES,
    NEW_UNITS,
    Games,
)

#: (name, place in the tally, unit, meaning)
LEVELS = (
    ("city_tiles", tally.CITY_TILES, "tiles", "city tiles"),
    ("cities", tally.CITIES, "cities", "cities"),
    ("units", tally.UNITS, "units", "workers and carts"),
    ("workers", tally.WORKERS, "units", "workers"),
    ("carts", tally.CARTS, "units", "carts"),
    ("research", tally.RESEARCHED, "points", "research points"),
    ("fuel", tally.FUEL, "fuel", "fuel in all cities"),
    ("upkeep", tally.UPKEEP_DUE, "fuel", "what all cities burn in a night turn"),
    ("starving_tiles", tally.HUNGRY_TILES, "tiles", "city tiles that will be lost by the morning if no fuel comes"),
    ("wood", tally.WOOD_CARRIED, "units of wood", "wood carried"),
    ("coal", tally.COAL_CARRIED, "units of coal", "coal carried"),
    ("uranium", tally.URANIUM_CARRIED, "units of uranium", "uranium carried"),
    ("cargo", tally.CARGO, "fuel", "all that is carried, as fuel"),
)  # fmt: skip
#: (name, place in `Games.flows`, unit, meaning)
FLOWS = (
    ("new_units", NEW_UNITS, "units", "units built"),
    ("new_tiles", NEW_TILES, "tiles", "city tiles built"),
    ("lost_units", LOST_UNITS, "units", "units that the night took"),
    ("lost_tiles", LOST_TILES, "tiles", "city tiles that the night took"),
    ("got_wood", GOT_WOOD, "units of wood", "wood taken from the map"),
    ("got_coal", GOT_COAL, "units of coal", "coal taken from the map"),
    ("got_uranium", GOT_URANIUM, "units of uranium", "uranium taken from the map"),
    ("fuel_stored", FUEL_STORED, "fuel", "fuel brought into cities by units"),
    ("fuel_burnt", FUEL_BURNT, "fuel", "fuel burnt by cities"),
)  # fmt: skip
#: the official reward, before the levels
REWARD = 0
NUM_LEVELS, NUM_FLOWS = len(LEVELS), len(FLOWS)
NUM_FACTS = 1 + NUM_LEVELS + NUM_FLOWS

#: ``[NUM_FACTS, N, 2]`` float32: reward, levels, flows
Facts = npt.NDArray[np.float32]


def write_facts(g: int, games: Games, counted: tally.Tally, facts: Facts) -> None:
    """Write game g's facts but the reward."""
    for seat in range(2):
        for k in range(NUM_LEVELS):
            facts[1 + k, g, seat] = counted[seat, k]
        for k in range(NUM_FLOWS):
            facts[1 + NUM_LEVELS + k, g, seat] = games.flows[g, seat, k]


def result(g: int, counted: tally.Tally) -> int:
    """+1 if team 0 has won, -1 if team 1 has, 0 for a draw: city tiles decide, then units."""
    tiles = counted[0, tally.CITY_TILES] - counted[1, tally.CITY_TILES]
    units = counted[0, tally.UNITS] - counted[1, tally.UNITS]
    lead = tiles if tiles != 0 else units
    return (1 if lead > 0 else 0) - (1 if lead < 0 else 0)


assert [place for _, place, _, _ in LEVELS] == list(range(NUM_LEVELS))
assert [place for _, place, _, _ in FLOWS] == list(range(NUM_FLOWS))
