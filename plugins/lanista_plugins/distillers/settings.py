"""The recipe tables of the distillers; light, because the plugin host reads it while it loads plugins."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class KlSettings(BaseModel):
    """``kl`` and ``reverse_kl``: a divergence of the two policies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: both logits are divided by this before the softmax, > 0; above 1 the unlikely actions count for more
    temperature: float = Field(default=1.0, gt=0.0)


class ValueSettings(BaseModel):
    """``value``: a distance of the two values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: "mse" (squared error) or "huber" (half of it near 0, linear beyond `delta`)
    kind: Literal["mse", "huber"] = "mse"
    #: where "huber" turns linear, in units of return, > 0
    delta: float = Field(default=1.0, gt=0.0)
