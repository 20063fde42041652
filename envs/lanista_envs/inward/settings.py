"""What a recipe may set for envs of gymnasium and games of PettingZoo. Light: read while plugins load."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class WrapperSettings(BaseModel):
    """A wrapper around each single env."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the class, "module:Class"; a bare name is one of ours (TimeFeatureWrapper, ZeroContactForces) or of gymnasium's
    use: str = Field(pattern=r"^([A-Za-z_][\w.]*:)?[A-Za-z_]\w*$")
    #: its arguments beside the env
    kwargs: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the recipe holds
        return {"use": value} if isinstance(value, str) else value


class GymnasiumSettings(BaseModel):
    """Settings of the envs ``gymnasium:ID``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the env's id, such as "CartPole-v1" or "package.module:Name-v0"; it is part of the env's name
    id: str = Field(min_length=1)
    #: arguments of `gymnasium.make` for this env, such as { continuous = true }
    kwargs: dict[str, Any] = {}
    #: wrappers around each single env, the innermost first: "FlattenObservation", "TimeFeatureWrapper", "module:Class"
    wrappers: tuple[WrapperSettings, ...] = ()
    #: steps after which an episode is cut off, 1 or more; none: as the env is registered
    max_steps: int | None = Field(default=None, ge=1)
    #: processes that share the games out among them (gymnasium's AsyncVectorEnv); 0: all in this process
    workers: int = Field(default=0, ge=0, le=256)


class PettingZooSettings(BaseModel):
    """Settings of the envs ``pettingzoo:MODULE``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the game's module, with or without "pettingzoo." before it: "classic.tictactoe_v3"; part of the env's name
    module: str = Field(pattern=r"^[A-Za-z_][\w.]*$")
    #: arguments of the module's `env` or `parallel_env`
    kwargs: dict[str, Any] = {}
    #: the form that is played; "auto": "parallel" where the module offers it, else "aec"
    api: Literal["auto", "aec", "parallel"] = "auto"
    #: env steps after which a game is cut off, 1 or more
    max_steps: int = Field(default=10_000, ge=1)
