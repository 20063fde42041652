"""The recipe tables of the distillers; light, because the plugin host reads it while it loads plugins.

In the formulas T is the teacher and S the student, z logits, p probabilities, m and s mean and deviation of a normal
distribution, a the executed action, V the value; sums run over legal actions or over the numbers of an action, and
over heads.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class StakeSettings(BaseModel):
    """Rows weighted by what is at stake there: little where the teacher rates all choices nearly alike."""

    model_config = _FROZEN

    #: "none"; "gap": best against second best of the teacher's legal logits; "range": best against worst (VIPER)
    stake: Literal["none", "gap", "range"] = "none"
    #: the difference of logits (Q / temperature for a teacher of Q values) from which a row counts fully, > 0
    stake_cap: float = Field(default=1.0, gt=0.0)


class KlSettings(StakeSettings):
    """``kl``: sum p_T ln(p_T / p_S); ``reverse_kl``: T and S swapped; p = softmax(z / temperature)."""

    #: both logits are divided by this before the softmax, > 0; above 1 the unlikely actions count for more
    temperature: float = Field(default=1.0, gt=0.0)
    #: "both" softens both sides and multiplies by temperature^2; "teacher" sharpens or softens the teacher alone
    sides: Literal["both", "teacher"] = "both"


class JensenShannonSettings(StakeSettings):
    """``jensen_shannon``: beta KL(p_T || m) + (1 - beta) KL(p_S || m), m = beta p_T + (1 - beta) p_S."""

    #: share of the teacher in the mixture, between 0 and 1; small ones act as forward KL, large ones as reverse
    beta: float = Field(default=0.5, gt=0.0, lt=1.0)
    #: both logits are divided by this before the softmax, > 0
    temperature: float = Field(default=1.0, gt=0.0)


class ArgmaxSettings(StakeSettings):
    """``argmax``: -ln p_S(the teacher's greedy action)."""


class GaussianKlSettings(BaseModel):
    """``gaussian_kl``: sum ln(s_S / s_T) + (s_T^2 + (m_T - m_S)^2) / (2 s_S^2) - 1/2; reverse: T and S swapped."""

    model_config = _FROZEN

    #: deviations below this count as this, in units of the normal distribution, > 0: a teacher that is all but
    #: deterministic would else outweigh everything
    least_std: float = Field(default=0.01, gt=0.0)
    #: the teacher's means are cut to -limit..limit, > 0, and a student beyond a cut one is as good; none: not. For heads
    #: that squash by tanh, where means of 4 and of 9 are all but the same action
    mean_limit: float | None = Field(default=None, gt=0.0)


class WassersteinSettings(BaseModel):
    """``wasserstein``: W2^2 = sum (m_T - m_S)^2 + (s_T - s_S)^2."""

    model_config = _FROZEN

    #: weight of the deviations' part, 0 or more
    std_coef: float = Field(default=1.0, ge=0.0)


class MseSettings(BaseModel):
    """``mse``: sum of squared differences of what is named, e = S - T."""

    model_config = _FROZEN

    #: "action": what the env gets, in halves of its range; "mean": of the normal distribution; "logits": the legal ones
    #: of a choice; "auto": the action of real numbers, the logits of a choice
    what: Literal["auto", "action", "mean", "logits"] = "auto"
    #: logits alone: what is taken off each side first, "mean" or "max" of the legal ones, or "none"
    centred: Literal["none", "mean", "max"] = "mean"


class HuberSettings(MseSettings):
    """``huber``: e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2), summed; e = S - T of what is named."""

    #: where it turns linear, in the units of what is named, > 0
    delta: float = Field(default=0.1, gt=0.0)


class ValueSettings(BaseModel):
    """``value``: a distance of the two values, e = V_S - scale V_T."""

    model_config = _FROZEN

    #: "mse" (squared error) or "huber" (half of it near 0, linear beyond `delta`)
    kind: Literal["mse", "huber"] = "mse"
    #: where "huber" turns linear, in units of return, > 0
    delta: float = Field(default=1.0, gt=0.0)
    #: the student's units of reward in one of the teacher's, > 0
    scale: float = Field(default=1.0, gt=0.0)


class TrajectorySettings(BaseModel):
    """``expected_entropy``: KL(p_S || p_T), ``n_distill``: KL(p_T || p_S), each charged to earlier choices too."""

    model_config = _FROZEN

    #: how much a loss counts for the choice a step before it, 0..1; 0 leaves the losses alone, 1 is the exact gradient
    discount: float = Field(default=0.99, ge=0.0, le=1.0)
    #: what is taken off the later losses: "others", the mean of the other games' at that step, or "none"
    baseline: Literal["others", "none"] = "others"


class ExpectedEntropySettings(TrajectorySettings):
    """``expected_entropy``: sum p_S ln(p_S / p_T) a step, of which earlier choices bear the later ones."""

    #: the cross-entropy - sum p_S ln p_T, as in the paper's text: it drives the student to the teacher's mode
    cross_entropy: bool = False
