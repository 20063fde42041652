"""The recipe tables of the teachers; light, because the plugin host reads it while it loads plugins."""

from typing import Literal

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


class OnnxSettings(FileTeacherSettings):
    """``onnx:FILE.onnx``: a graph; one that we exported needs none of the settings."""

    #: the output that holds the action, logits, Q values or means; none: the only one
    output: str | None = None
    #: what that output holds; none: choices if its numbers are whole, else logits of choices, or real numbers themselves
    kind: Literal["logits", "q", "action", "mean"] | None = None
    #: of means: the output that holds the deviation; none: there is none
    std: str | None = None
    #: of means: the way to the bounds; "tanh" means half ranges before tanh, "clip" means units of the action
    squash: Literal["tanh", "clip"] = "clip"
    #: the output that holds the value of the state; none: values are NaN
    value: str | None = None
    #: of choices without logits: the probability that the chosen one is given, 0..1
    certainty: float = Field(default=0.99, gt=0.0, lt=1.0)


class PlayerTeacherSettings(BaseModel):
    """``player:NAME``: a scripted player, which can label only what it meets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the player, with its settings behind a colon if it needs some: "negamax:depth=2"; part of the source's name
    name: str = Field(min_length=1)
    #: the probability that its choice is given, 0..1
    certainty: float = Field(default=0.99, gt=0.0, lt=1.0)
    #: of its stream of random numbers
    seed: int = 0
