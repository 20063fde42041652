"""What a recipe may set for Pendulum."""

from pydantic import BaseModel, ConfigDict, Field


class PendulumSettings(BaseModel):
    """Settings of the env `pendulum`; the defaults are those of Pendulum-v1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: steps after which an episode is cut off (truncated), 1 and up
    max_steps: int = Field(default=200, ge=1)
