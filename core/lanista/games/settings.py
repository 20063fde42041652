"""What recipes say of kept games."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class KeepGames(BaseModel):
    """Which finished games of a phase are kept; a number alone is `games`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the most games that are kept, 1 or more; they are spread evenly over the phase's steps, unless `every` is set
    games: int = Field(ge=1)
    #: keep every n-th game that begins, 1 or more, until there are `games`; none: spread them
    every: int | None = Field(default=None, ge=1)
    #: of a kept game, every n-th decision of each seat is kept, 1 (all) or more
    thin: int = Field(default=1, ge=1)
    #: share of the phase's steps, 0..1, before which no game is kept
    since: float = Field(default=0.0, ge=0.0, lt=1.0)
    #: no further game is begun once the kept ones take this many megabytes before packing, above 0
    megabytes: float = Field(default=512.0, gt=0.0)

    @model_validator(mode="before")
    @classmethod
    def _number_alone(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the recipe holds
        return {"games": value} if isinstance(value, int) and not isinstance(value, bool) else value


class StatesSettings(BaseModel):
    """States out of kept games, beside or instead of fresh ones; ``"games:PHASE"`` alone is `games`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: an earlier phase of the run that kept games, or a folder of kept games
    games: str
    #: share of the states that comes from them, above 0 to 1; at 1 no fresh game is played
    share: float = Field(default=1.0, gt=0.0, le=1.0)

    @model_validator(mode="before")
    @classmethod
    def _text_alone(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the recipe holds
        if not isinstance(value, str):
            return value
        kind, sign, source = value.partition(":")
        if kind != "games" or not sign or not source:
            raise ValueError(
                f'states takes "games:PHASE" or {{ games = "PHASE", share = 0.5 }}, found {value!r}'
            )
        return {"games": source}
