"""What a recipe may set for MountainCar."""

from pydantic import BaseModel, ConfigDict, Field


class MountainCarSettings(BaseModel):
    """Settings of the env `mountaincar`; the defaults are those of MountainCar-v0."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: steps after which an episode is cut off (truncated), 1 and up
    max_steps: int = Field(default=200, ge=1)
