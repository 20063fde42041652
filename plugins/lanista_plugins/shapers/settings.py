"""Settings of the reward shapers."""

from pydantic import BaseModel, ConfigDict, Field

from lanista.schedules import Schedule, Scheduled


class OutcomeSettings(BaseModel):
    """Reward the game's outcome at its end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: reward of one unit of outcome (a win is +1, a loss -1), any number; may be a schedule
    weight: Scheduled = Schedule(start=1.0, end=1.0)


class WeightsSettings(BaseModel):
    """Weigh facts: the change of a level, the amount of a flow; `outcome` is taken as a flow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: fact -> reward of one unit of it, any number; may be a schedule
    facts: dict[str, Scheduled] = Field(min_length=1)


class PotentialSettings(BaseModel):
    """Potential-based shaping; keeps optimal policies, so it is never annealed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: fact (a level) -> its weight in the potential, any number
    facts: dict[str, float] = Field(min_length=1)
    #: added to the potential, any number; best so that it is near 0 where games end, where it is set to 0
    offset: float = 0.0
