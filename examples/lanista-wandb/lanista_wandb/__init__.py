"""The plugin module: it says what is on offer, and imports nothing that is heavy."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

import lanista


class WandbSettings(BaseModel):
    """The entry of a recipe's `loggers` that uses this one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the W&B project that the run belongs to
    project: str = Field(default="lanista", min_length=1)
    #: "offline" keeps all in the run's folder, for `wandb sync` or for nobody; "online" needs `wandb login`
    mode: Literal["offline", "online"] = "offline"
    #: the W&B group, say for the seeds of one recipe; none: the folder that the run's folder lies in
    group: str | None = None


@lanista.hookimpl
def register_loggers(register):
    register(
        "wandb",
        "lanista_wandb.logger:Wandb",
        settings=WandbSettings,
        summary="figures for Weights & Biases, online or below RUN/wandb",
    )
