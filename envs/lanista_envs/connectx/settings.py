"""What a recipe may set for Connect X and its scripted player."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ConnectXSettings(BaseModel):
    """Settings of the env `connectx`; the defaults are those of the competition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: rows of the board, 1 to 64
    rows: int = Field(default=6, ge=1, le=64)
    #: columns of the board, 1 to 64
    columns: int = Field(default=7, ge=1, le=64)
    #: stones in a row that win, 1 and up
    inarow: int = Field(default=4, ge=1)


def kaggle_configuration(settings: ConnectXSettings) -> dict[str, Any]:
    """The game's configuration in kaggle-environments."""
    return settings.model_dump()


class NegamaxSettings(BaseModel):
    """Settings of the player `connectx_negamax`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: moves looked ahead after the player's own, 0 and up (4 is what the official `negamax` does)
    depth: int = Field(default=4, ge=0, le=20)
