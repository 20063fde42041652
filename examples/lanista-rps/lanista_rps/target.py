"""Target `kaggle:rps`. A mixed strategy is worth nothing if the most probable sign is played, so archives draw."""

from lanista_submission.targets.kaggle import KaggleTarget
from lanista_submission.targets.profile import Profile


class KaggleRps(KaggleTarget):
    """Rock-paper-scissors on Kaggle."""

    profile = Profile(
        name="kaggle:rps",
        game="rock-paper-scissors",
        env="rps",
        act_timeout=1.0,
        default_action=0,
        actions="sampled",
        source="kaggle-environments 1.33.2, envs/rps/rps.json; November 2026",
    )
