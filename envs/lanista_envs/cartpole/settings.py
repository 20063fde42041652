"""What a recipe may set for CartPole."""

from pydantic import BaseModel, ConfigDict, Field


class CartPoleSettings(BaseModel):
    """Settings of the env `cartpole`; the defaults are those of CartPole-v1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: steps after which an episode is cut off (truncated), 1 and up
    max_steps: int = Field(default=500, ge=1)
