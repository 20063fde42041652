"""What may be set of the players that come with lanista."""

from pydantic import BaseModel, ConfigDict


class ShippedSettings(BaseModel):
    """Settings of a shipped policy as a player."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: whether it draws its actions; none: as its card says
    sample: bool | None = None
    #: the symmetries that it averages over, "all" or names with commas between, "" for none; none: as its card says
    average_symmetries: str | None = None
