"""What `lux_s1` declares about itself."""

from lanista.spec import INSIDE, EnvSpec, FactSpec, HeadSpec, ObsPart
from lanista_envs.lux.choices import MOVES, NUM_CHOICES, UNITS
from lanista_envs.lux.facts import FLOWS, LEVELS
from lanista_envs.lux.overview import NUM_GLOBALS
from lanista_envs.lux.planes import NUM_PLANES
from lanista_envs.lux.settings import LuxS1Settings
from lanista_envs.lux.unit_rows import NUM_FEATURES
from lanista_envs.lux.window import NUM_CELLS, NUM_CHANNELS, SPREADS

HEAD = "orders"
PLANES, KNOWS, FEATURES, WINDOW = "planes", "globals", "features", "window"


def lux_spec(settings: LuxS1Settings) -> EnvSpec:
    """The declaration, for these settings."""
    knows = ObsPart(
        KNOWS, (NUM_GLOBALS,), "float32",
        "what the seat knows of the whole game, by `overview.GLOBALS`: clock, resources left, both teams' research, "
        "cities, units and fuel",
    )  # fmt: skip
    planes = ObsPart(
        PLANES, (NUM_PLANES, settings.largest, settings.largest), "uint8",
        "the board in hundredths, by `planes.PLANES`, north first", spread=(100.0,),
    )  # fmt: skip
    inside = ObsPart(
        INSIDE, (1, settings.largest, settings.largest), "uint8",
        "1 on the cells of the board, which lies in the north-west corner, 0 on those that fill it up",
    )  # fmt: skip
    boards = (planes, inside) if settings.sizes else (planes,)
    features = ObsPart(
        FEATURES, (NUM_FEATURES,), "float32",
        "a unit or city tile, by `unit_rows.FEATURES`: itself, its city, the cluster of resources it is at, the nearest "
        "of eleven things",
    )  # fmt: skip
    window = ObsPart(
        WINDOW, (NUM_CELLS, NUM_CHANNELS), "int8",
        "the cells within three steps of it, row by row from the north, by `window.CHANNELS`", spread=SPREADS,
    )  # fmt: skip
    return EnvSpec(
        name="lux_s1",
        version="1",
        source="kaggle-environments 1.33.2, lux_ai_2021 3.1.0 (the program in envs/lux_ai_2021/dimensions)",
        seats=2,
        turns="simultaneous",
        observation=(knows,) if settings.observation == "units" else (*boards, knows),
        heads=(
            HeadSpec(
                HEAD, "units", NUM_CHOICES,
                "0 nothing. Units: 1 to 4 a move to the north, east, south, west; 5 to 8 all wood to the unit on that "
                "side, 9 to 12 all coal, 13 to 16 all uranium; workers also 17 a city tile here, 18 pillage. City "
                "tiles: 1 a worker, 2 a cart, 3 research",
                units=UNITS,
                exclusive=MOVES,
            ),
        ),
        facts=(
            FactSpec("reward", "flow", "points", "+1 for the winner and -1 for the loser at the end, else 0"),
            *(FactSpec(name, "level", unit, meaning) for name, _, unit, meaning in LEVELS),
            *(FactSpec(name, "flow", unit, f"{meaning} in this turn") for name, _, unit, meaning in FLOWS),
        ),
        max_steps=settings.max_turns,
        reward_range=(-1.0, 1.0),
        outcome="result",
        unit_observation=() if settings.observation == "planes" else (features, window),
    )  # fmt: skip
