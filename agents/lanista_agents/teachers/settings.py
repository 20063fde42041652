"""The recipe tables of the teachers; light, because the plugin host reads it while it loads plugins."""

from pydantic import BaseModel, ConfigDict, Field


class FileTeacherSettings(BaseModel):
    """A teacher out of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the file; it is part of the source's name
    file: str = Field(min_length=1)
    #: logits are Q / this, in units of return, > 0; none: half the median gap between the best and the second-best
    #: action, over states of the teacher's own play
    q_temperature: float | None = Field(default=None, gt=0.0)


class NpzSettings(FileTeacherSettings):
    """``npz:FILE``: plain arrays."""


class Sb3Settings(FileTeacherSettings):
    """``sb3:FILE.zip``: an agent that Stable-Baselines3 saved."""

    #: the pickled VecNormalize that its observations went through; "auto" looks beside the zip, "none" takes none
    normalise: str = Field(default="auto", min_length=1)
    #: read the weights by running the pickles in the file. It risks everything: such a file can do on this machine
    #: whatever you can. Only for a file that you made yourself and that is refused without
    unsafe: bool = False
