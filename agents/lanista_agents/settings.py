"""The recipe tables of the networks, learners and players of this package.

This module stays light (pydantic only), because the plugin host reads it while it loads plugins.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from lanista.schedules import Schedule, Scheduled

Activation = Literal["tanh", "relu", "gelu"]


class MlpSettings(BaseModel):
    """``mlp``: dense layers over all observation parts, flattened and joined."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: width of each dense layer, in units
    hidden: tuple[PositiveInt, ...] = Field(default=(64, 64), min_length=1)
    #: residual blocks behind the dense layers, of the last one's width; each starts as the identity, >= 0
    residual_blocks: int = Field(default=0, ge=0)
    #: "tanh", "relu" or "gelu"
    activation: Activation = "tanh"
    #: whether the value has dense layers of its own
    separate_value: bool = False
    #: gain of the orthogonal weights behind the logits, > 0
    policy_gain: float = Field(default=0.01, gt=0.0)


class ConvSettings(BaseModel):
    """``conv``: 3x3 convolutions over the board parts ``[C, H, W]``; other parts shift the channels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: channels of the trunk
    channels: PositiveInt = 32
    #: residual blocks of two convolutions, 0 or more; each starts as the identity
    blocks: int = Field(default=2, ge=0)
    #: channels that are read out, cell by cell, for the dense layer
    readout: PositiveInt = 8
    #: width of the dense layer behind the board, in units
    hidden: PositiveInt = 64
    #: "tanh", "relu" or "gelu"
    activation: Activation = "relu"
    #: gain of the orthogonal weights behind the logits, > 0
    policy_gain: float = Field(default=0.01, gt=0.0)


class GaussianSettings(BaseModel):
    """``gaussian``: normal distributions, led to the bounds by tanh."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the deviation that fresh weights begin with, before tanh: 1 is half the range, about; > 0
    init_std: float = Field(default=0.6, gt=0.0, le=4.0)


class PpoSettings(BaseModel):
    """``ppo``: proximal policy optimisation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: discount of one env step, 0..1
    gamma: float = Field(default=0.99, gt=0.0, le=1.0)
    #: decay of the advantage estimate from one decision to the next, 0..1
    gae_lambda: float = Field(default=0.95, ge=0.0, le=1.0)
    #: passes over a rollout, 1 or more
    num_epochs: PositiveInt = 4
    #: rows of an optimiser step, about (a rollout is cut into minibatches of nearly equal size)
    minibatch_size: PositiveInt = 512
    #: step size, a number or a schedule
    learning_rate: Scheduled = Schedule(start=3e-4, end=3e-4)
    #: how far the probability ratio may leave 1 before its gradient is cut, a number or a schedule
    clip: Scheduled = Schedule(start=0.2, end=0.2)
    #: how far the value may leave the rollout's value, in units of return; none = free
    value_clip: float | None = Field(default=None, gt=0.0)
    #: weight of the value loss (half the mean squared error), 0 or more
    value_coef: float = Field(default=0.5, ge=0.0)
    #: weight of the entropy bonus, a number or a schedule
    entropy_coef: Scheduled = Schedule(start=0.0, end=0.0)
    #: scale each minibatch's advantages to mean 0 and deviation 1
    normalise_advantage: bool = True
    #: longest gradient allowed (Euclidean norm over all weights), > 0; none = any
    max_grad_norm: float | None = Field(default=0.5, gt=0.0)
    #: stop an update before the first step whose approx_kl exceeds this, in nats; none = never
    target_kl: float | None = Field(default=None, gt=0.0)
    #: "adam", or "muon" (orthogonalised momentum for matrices, Adam for the rest)
    optimizer: Literal["adam", "muon"] = "adam"
    #: decay of Adam's first moment, 0..1
    adam_beta1: float = Field(default=0.9, ge=0.0, lt=1.0)
    #: decay of Adam's second moment, 0..1
    adam_beta2: float = Field(default=0.999, ge=0.0, lt=1.0)
    #: Adam's guard against division by zero, > 0
    adam_eps: float = Field(default=1e-5, gt=0.0)
    #: decay of Muon's momentum, 0..1
    muon_momentum: float = Field(default=0.95, ge=0.0, lt=1.0)
