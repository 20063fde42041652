"""Target ``kaggle:connectx``: Kaggle's Connect X, always open."""

from types import MappingProxyType

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


class ConnectX(KaggleTarget):
    """Connect X on Kaggle."""

    profile = PROFILE
