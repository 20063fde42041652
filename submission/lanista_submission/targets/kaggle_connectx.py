"""Target ``kaggle:connectx``: Kaggle's Connect X, always open."""

from dataclasses import replace
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict

from lanista.plugins import Registry
from lanista_submission.targets.kaggle import KaggleTarget
from lanista_submission.targets.profile import Profile

PROFILE = Profile(
    name="kaggle:connectx",
    game="connectx",
    env="connectx",
    env_settings=MappingProxyType({"rows": 6, "columns": 7, "inarow": 4}),
    act_timeout=2.0,
    default_action=0,
    max_bytes=100 * 2**20,
    source="kaggle-environments 1.33.2, connectx.json; size as quoted for Orbit Wars; November 2026",
)


class ConnectXTargetSettings(BaseModel):
    """Settings of the target `kaggle:connectx`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: "all" symmetries of the env, or names with commas between: the archive averages over them while there is time
    average_symmetries: str | None = None


class ConnectX(KaggleTarget):
    """Connect X on Kaggle."""

    profile = PROFILE

    def __init__(self, registry: Registry, settings: ConnectXTargetSettings | None = None) -> None:
        """`registry` tells of envs, networks and heads."""
        super().__init__(registry)
        if settings is not None:
            self.profile = replace(PROFILE, average_symmetries=settings.average_symmetries)
