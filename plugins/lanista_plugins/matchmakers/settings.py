"""Settings of the matchmakers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class PfspSettings(BaseModel):
    """Prioritised fictitious self-play."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: "hard": weight (1 - p)^power, members that beat the learner; "even": p (1 - p), members of its strength
    weighting: Literal["hard", "even"] = "hard"
    #: exponent of "hard", above 0; larger: the hardest members only
    power: float = Field(default=2.0, gt=0.0)
    #: share of the draws that are uniform, 0..1, so that no member is forgotten
    uniform_share: float = Field(default=0.1, ge=0.0, le=1.0)
