"""What a recipe may set for Lux AI Season 1."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lanista_envs.lux.state import MAX_SIDE, MAX_TURNS

#: modules beside `codec` that go into bundles
PORTABLE = (
    "choices", "clusters", "collect", "nearest", "order_strings", "overview", "planes", "scratch", "settling", "sights",
    "state", "table", "tally", "unit_rows", "updates", "window",
)  # fmt: skip


class LuxS1Settings(BaseModel):
    """Settings of the env `lux_s1`; the defaults are those of the competition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: side of the square board in cells, 8 to 120; the competition's are 12, 16, 24 and 32
    size: int = Field(default=12, ge=8, le=MAX_SIDE)
    #: turns of a game, 1 to 360; the competition plays 360
    max_turns: int = Field(default=MAX_TURNS, ge=1, le=MAX_TURNS)
    #: what is shown beside the globals: planes of the board, a row of numbers for each unit, or both
    observation: Literal["planes", "units", "both"] = "planes"


def kaggle_configuration(settings: LuxS1Settings) -> dict[str, Any]:
    """The game's configuration in kaggle-environments, where n steps are n - 1 turns."""
    return {"width": settings.size, "height": settings.size, "episodeSteps": settings.max_turns + 1}
