"""Numbers that change while a phase goes on: a constant, or `{ start, end, hold }`."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Schedule(BaseModel):
    """A value held at `start` for a share of the phase, then led in a straight line to `end`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: value at the phase's start
    start: float
    #: value at the phase's end
    end: float
    #: share of the phase for which `start` holds, 0..1
    hold: float = Field(default=0.0, ge=0.0, lt=1.0)

    def at(self, progress: float) -> float:
        """The value after the share `progress` (0..1) of the phase."""
        passage = min(max((progress - self.hold) / (1.0 - self.hold), 0.0), 1.0)
        return self.start + (self.end - self.start) * passage


def _as_schedule(value: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever the recipe holds
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"start": float(value), "end": float(value)}
    return value


#: A recipe writes `0.01` or `{ start = 0.01, end = 0.0, hold = 0.5 }`.
Scheduled = Annotated[Schedule, BeforeValidator(_as_schedule)]
