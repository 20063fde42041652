"""Numbers that change while a phase goes on: a constant, or `{ start, end, hold, by, shape }`."""

from math import cos, pi
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class Schedule(BaseModel):
    """A value held at `start` for a share of the phase, then led to `end`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: value at the phase's start
    start: float
    #: value at the phase's end
    end: float
    #: share of the phase for which `start` holds, 0..1
    hold: float = Field(default=0.0, ge=0.0, lt=1.0)
    #: share of the phase after which `end` is reached, above `hold` to 1
    by: float = Field(default=1.0, gt=0.0, le=1.0)
    #: "linear": a straight line; "cosine": half a wave, slow at both ends
    shape: Literal["linear", "cosine"] = "linear"

    @model_validator(mode="after")
    def _hold_before_by(self) -> "Schedule":
        if self.by <= self.hold:
            raise ValueError(f"by = {self.by} must come after hold = {self.hold}")
        return self

    def at(self, progress: float) -> float:
        """The value after the share `progress` (0..1) of the phase."""
        passage = min(max((progress - self.hold) / (self.by - self.hold), 0.0), 1.0)
        if self.shape == "cosine":
            passage = (1.0 - cos(pi * passage)) / 2.0
        return self.start + (self.end - self.start) * passage


def _as_schedule(value: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever the recipe holds
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"start": float(value), "end": float(value)}
    return value


#: A recipe writes `0.01` or `{ start = 0.01, end = 0.0, hold = 0.5 }`.
Scheduled = Annotated[Schedule, BeforeValidator(_as_schedule)]
