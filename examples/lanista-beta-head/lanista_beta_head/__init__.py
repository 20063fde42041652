"""The plugin module: it says what is on offer, and imports nothing that is heavy."""

from pydantic import BaseModel, ConfigDict, Field

import lanista


class BetaSettings(BaseModel):
    """The table ``heads.NAME`` of a recipe that uses this head."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: both parameters of the Beta distributions that fresh weights begin with; 1 is uniform, more is narrower
    init_concentration: float = Field(default=2.0, gt=1.0, le=100.0)


@lanista.hookimpl
def register_heads(register):
    register(
        "beta",
        "lanista_beta_head.head:Beta",
        settings=BetaSettings,
        summary="real numbers within bounds, by Beta distributions",
    )


@lanista.hookimpl
def register_recipes(register):
    register("pendulum-beta", "lanista_beta_head:recipes/pendulum-beta.toml")
