"""What a recipe may set for Lux AI Season 1."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from lanista_envs.lux.maps import Maps
from lanista_envs.lux.state import MAX_SIDE, MAX_TURNS

#: modules beside `codec` that go into bundles
PORTABLE = (
    "choices", "clusters", "collect", "nearest", "order_strings", "overview", "planes", "scratch", "settling", "sights",
    "state", "table", "tally", "unit_rows", "updates", "whole_boards", "window",
)  # fmt: skip


class LuxS1Settings(BaseModel):
    """Settings of the env `lux_s1`; the defaults are those of the competition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: side of the square board in cells, 8 to 120; the competition's are 12, 16, 24 and 32
    size: int = Field(default=12, ge=8, le=MAX_SIDE)
    #: several sides, each once, for games of all of them side by side; planes are then those of the largest board, and a
    #: part `inside` marks the cells that count; none: every board is of `size`
    sizes: tuple[Annotated[int, Field(ge=8, le=MAX_SIDE)], ...] = ()
    #: the maps that are played: all but the held-out ones, the held-out ones alone (figures), or all
    maps: Maps = "train"
    #: turns of a game, 1 to 360; the competition plays 360
    max_turns: int = Field(default=MAX_TURNS, ge=1, le=MAX_TURNS)
    #: what is shown beside the globals: planes of the board, a row of numbers for each unit, or both
    observation: Literal["planes", "units", "both"] = "planes"

    @field_validator("sizes")
    @classmethod
    def _each_size_once(cls, sizes: tuple[int, ...]) -> tuple[int, ...]:
        twice = sorted({size for size in sizes if sizes.count(size) > 1})
        if twice:
            raise ValueError(
                f"sizes names {twice[0]} twice; name each size once, games are shared out evenly"
            )
        return sizes

    @property
    def boards(self) -> tuple[int, ...]:
        """The sides of the boards that are played."""
        return self.sizes or (self.size,)

    @property
    def largest(self) -> int:
        """The side of the planes."""
        return max(self.boards)


def kaggle_configuration(settings: LuxS1Settings) -> dict[str, Any]:
    """The game's configuration in kaggle-environments, where n steps are n - 1 turns; of several sizes the first."""
    size = settings.boards[0]
    return {"width": size, "height": size, "episodeSteps": settings.max_turns + 1}
