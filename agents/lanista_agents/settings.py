"""The recipe tables of the networks, learners and players of this package.

This module stays light (pydantic only), because the plugin host reads it while it loads plugins.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator

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


class ActorSettings(BaseModel):
    """``actor``: a dense policy that another library trained; teachers from elsewhere are built with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: width of each layer of the actor, in units; none: it is linear
    hidden: tuple[PositiveInt, ...] = (64, 64)
    #: width of each layer that actor and critic share, in units
    shared: tuple[PositiveInt, ...] = ()
    #: width of each layer of the critic; none: there is no critic, and values are NaN
    critic: tuple[PositiveInt, ...] | None = (64, 64)
    #: the function behind each layer
    activation: Literal[
        "tanh", "relu", "gelu", "elu", "selu", "leaky_relu", "silu", "mish", "sigmoid", "softplus", "softsign",
        "relu6", "hardtanh", "identity",
    ] = "tanh"  # fmt: skip
    #: how far a scaled observation may leave 0; none: any
    clip_observation: float | None = Field(default=None, gt=0.0)
    #: what the last layer says: "logits", "bits", "scores", "q", "quantiles" or "numbers"
    output: Literal["logits", "bits", "scores", "q", "quantiles", "numbers"] = "logits"
    #: numbers an action, whose mean is Q
    quantiles: PositiveInt = 1
    #: logits are Q, or scores, / this; in units of return, > 0
    q_temperature: float = Field(default=1.0, gt=0.0)
    #: values are multiplied by this: units of return a unit of the critic
    value_scale: float = Field(default=1.0, gt=0.0)
    #: of real numbers: the lowest of each
    low: tuple[float, ...] = ()
    #: of real numbers: the highest of each
    high: tuple[float, ...] = ()
    #: of real numbers: its own way to the bounds
    squash: Literal["tanh", "clip"] = "clip"
    #: of real numbers: where its deviation comes from
    deviation: Literal["none", "fixed", "state", "gsde"] = "fixed"
    #: of real numbers: whether the last layer speaks in units of the action or in half ranges from the middle
    units: Literal["action", "half"] = "action"
    #: of real numbers: means are cut off here, before `squash`; none: nowhere
    mean_limit: float | None = Field(default=None, gt=0.0)
    #: of real numbers: the head whose logits it gives, as a recipe's table
    head: dict[str, Any] = {"use": "gaussian"}


class UnitMlpSettings(BaseModel):
    """``unit_mlp``: dense layers over every unit, with its team and its seat as context."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: width of the layers over units
    width: PositiveInt = 64
    #: width of the layers over a seat's context
    context: PositiveInt = 64
    #: residual blocks over units behind the two dense layers, 0 or more; each starts as the identity
    blocks: int = Field(default=0, ge=0)
    #: residual blocks over the context, 0 or more; each starts as the identity
    context_blocks: int = Field(default=0, ge=0)
    #: how a seat's units are pooled: 0 = their mean, else as many means weighed by attention
    attention_heads: int = Field(default=0, ge=0)
    #: "tanh", "relu" or "gelu"
    activation: Activation = "relu"
    #: gain of the orthogonal weights behind the logits, > 0
    policy_gain: float = Field(default=0.01, gt=0.0)
    #: "float32", or "bfloat16" for the products of the two layers over units, where learners and players ask for them;
    #: what torch differentiates or exports is in float32
    precision: Literal["float32", "bfloat16"] = "float32"


class OnnxNetworkSettings(BaseModel):
    """``onnx``: a graph that onnxruntime runs; made by the teachers ``onnx:``, which fill this in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: bytes of the graph
    size: PositiveInt
    #: numbers in its weights
    parameters: int = Field(default=0, ge=0)
    #: whether it takes one row at a time only
    row_by_row: bool = False
    #: what its outputs hold
    kind: Literal["logits", "q", "action", "mean"]
    #: head -> the output that holds it
    outputs: dict[str, str]
    #: of means: the output that holds the deviation
    std: str | None = None
    #: the output that holds the value
    value: str | None = None
    #: inputs that take a mask -> choices
    masks: dict[str, int] = {}
    #: of choices without logits: the probability that the chosen one is given, 0..1
    certainty: float = Field(default=0.99, gt=0.0, lt=1.0)
    #: logits are Q / this, > 0
    q_temperature: float = Field(default=1.0, gt=0.0)
    #: of real numbers: the lowest of each
    low: tuple[float, ...] = ()
    #: of real numbers: the highest of each
    high: tuple[float, ...] = ()
    #: of means: the graph's own way to the bounds
    squash: Literal["tanh", "clip"] = "clip"
    #: of real numbers: units of the action, or half ranges from the middle
    units: Literal["action", "half"] = "action"
    #: of real numbers: the head whose logits it gives, as a recipe's table
    head: dict[str, Any] = {"use": "gaussian"}


class GridResnetSettings(BaseModel):
    """``grid_resnet``: residual convolutions with squeeze-excitation over the board parts ``[C, H, W]``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: channels of the trunk
    channels: PositiveInt = 32
    #: residual blocks of two convolutions, 0 or more; each starts as the identity
    blocks: int = Field(default=4, ge=0)
    #: side of the convolutions, odd
    kernel: PositiveInt = 3
    #: width of the layer that scales a block's channels by the board's mean; 0 = no scaling
    squeeze: int = Field(default=8, ge=0)
    #: width of the dense layer behind the board's mean, for the value and the heads of a seat
    hidden: PositiveInt = 64
    #: "tanh", "relu" or "gelu"
    activation: Activation = "relu"
    #: gain of the orthogonal weights behind the logits, > 0
    policy_gain: float = Field(default=0.01, gt=0.0)
    #: "float32", or "bfloat16" for the convolutions and dense layers where the processor has units for it
    precision: Literal["float32", "bfloat16"] = "float32"
    #: [part, plane]: the plane that is above 0 on the cells that count; none = the part `inside`, without one all do
    inside: tuple[str, int] | None = None

    @field_validator("kernel")
    @classmethod
    def _kernel_has_a_middle(cls, kernel: int) -> int:
        if kernel % 2 == 0:
            raise ValueError(f"kernel is {kernel}; take an odd number, so that a cell lies in its middle")
        return kernel

    @field_validator("inside")
    @classmethod
    def _plane_counts_from_0(cls, inside: tuple[str, int] | None) -> tuple[str, int] | None:
        if inside is not None and inside[1] < 0:
            raise ValueError(f"inside names plane {inside[1]}; planes count from 0")
        return inside


class GaussianSettings(BaseModel):
    """``gaussian``: normal distributions, led to the bounds by tanh or clipped to them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the deviation that fresh weights begin with, before tanh or clip, in half ranges; > 0
    init_std: float = Field(default=0.6, gt=0.0, le=4.0)
    #: the way to the bounds: "tanh" (SAC's), or "clip" (that of PPO, A2C and TRPO in most libraries)
    squash: Literal["tanh", "clip"] = "tanh"
    #: the deviation stays within a factor of exp(this) of `init_std`, > 0
    std_range: float = Field(default=2.0, gt=0.0, le=10.0)


class DeterministicSettings(BaseModel):
    """``deterministic``: the action itself, as TD3 and DDPG give it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the way to the bounds: "tanh" or "clip"
    squash: Literal["tanh", "clip"] = "tanh"
    #: deviation of the noise when actions are drawn, in half ranges, > 0; greedy play has none
    noise: float = Field(default=0.1, gt=0.0, le=1.0)


class OptimizerSettings(BaseModel):
    """What every learner says of its steps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: step size, a number or a schedule
    learning_rate: Scheduled = Schedule(start=3e-4, end=3e-4)
    #: longest gradient allowed (Euclidean norm over all weights), > 0; none = any
    max_grad_norm: float | None = Field(default=0.5, gt=0.0)
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


class PpoSettings(OptimizerSettings):
    """``ppo``: proximal policy optimisation."""

    #: discount of one env step, 0..1
    gamma: float = Field(default=0.99, gt=0.0, le=1.0)
    #: decay of the advantage estimate from one decision to the next, 0..1
    gae_lambda: float = Field(default=0.95, ge=0.0, le=1.0)
    #: passes over a rollout, 1 or more
    num_epochs: PositiveInt = 4
    #: rows of an optimiser step, about (a rollout is cut into minibatches of nearly equal size)
    minibatch_size: PositiveInt = 512
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
    #: stop an update before the first step whose approx_kl exceeds this, in nats; none = never
    target_kl: float | None = Field(default=None, gt=0.0)


class ImpalaSettings(OptimizerSettings):
    """``impala``: V-trace and UPGO policy gradients with TD(lambda) values."""

    #: discount of one env step, 0..1
    gamma: float = Field(default=0.99, gt=0.0, le=1.0)
    #: decay from one decision to the next in the TD(lambda) target and in UPGO's, 0..1
    td_lambda: float = Field(default=0.9, ge=0.0, le=1.0)
    #: the same in the V-trace target, 0..1
    trace_lambda: float = Field(default=1.0, ge=0.0, le=1.0)
    #: how much a decision may count that is now more probable than when it was made, > 0
    rho_clip: float = Field(default=1.0, gt=0.0)
    #: the same for how far later temporal differences reach back over it, > 0
    trace_clip: float = Field(default=1.0, gt=0.0)
    #: weight of the V-trace advantage in the policy gradient, 0 or more
    vtrace_coef: float = Field(default=1.0, ge=0.0)
    #: weight of the UPGO advantage in the policy gradient, 0 or more
    upgo_coef: float = Field(default=1.0, ge=0.0)
    #: what the value learns: "td_lambda", or "vtrace" (as in the paper)
    value_target: Literal["td_lambda", "vtrace"] = "td_lambda"
    #: weight of the value loss (half the mean squared error), 0 or more
    value_coef: float = Field(default=0.5, ge=0.0)
    #: errors beyond this count linearly (Huber), in units of return, > 0; none = all squared
    value_huber: float | None = Field(default=None, gt=0.0)
    #: weight of the entropy bonus, a number or a schedule
    entropy_coef: Scheduled = Schedule(start=0.0, end=0.0)
    #: divide a minibatch's advantages by their root mean square; they keep their signs
    scale_advantage: bool = True
    #: passes over a rollout, 1 or more
    num_epochs: PositiveInt = 1
    #: decisions of an optimiser step, about; whole rows of the rollout are taken, so that chains stay in one piece
    minibatch_size: PositiveInt = 512
