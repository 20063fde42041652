"""Returns and advantages as pure functions over ``[T, R]`` arrays, along the chains of a seat's decisions.

Rows with ``learn[t, r]`` are decisions; the steps in between belong to the decision before them, whoever
acted.
"""

from typing import TypedDict

import numpy as np

from lanista.arrays import BoolArray, FloatArray
from lanista.kernels import compile_kernels
from lanista_agents import kernels

_kernels = compile_kernels(kernels, label="learners")


class Walk(TypedDict):
    """What all of these functions walk over, as `lanista.learning.Rollout` has it."""

    reward: FloatArray
    value: FloatArray
    learn: BoolArray
    terminated: BoolArray
    truncated: BoolArray
    final_value: FloatArray
    bootstrap_value: FloatArray
    gamma: float


def gae(
    *,
    reward: FloatArray,
    value: FloatArray,
    learn: BoolArray,
    terminated: BoolArray,
    truncated: BoolArray,
    final_value: FloatArray,
    bootstrap_value: FloatArray,
    gamma: float,
    gae_lambda: float,
) -> tuple[FloatArray, FloatArray]:
    """Give (advantage, return_), both ``[T, R]`` float32, zero where not `learn`.

    Generalised advantage estimation (Schulman et al. 2016, eq. 16) over decisions instead of steps. With
    t < t' the steps of two decisions of a seat in one game, k = t' - t::

        delta(t)     = sum_{i<k} gamma^i reward(t + i) + gamma^k value(t') - value(t)
        advantage(t) = delta(t) + gamma^k gae_lambda advantage(t')
        return_(t)   = advantage(t) + value(t)

    gamma counts env steps, so that a potential's shaping telescopes exactly; gae_lambda counts decisions. If
    the game ends on the way, the sum ends there with 0 (terminated) or with `final_value` (truncated). If the
    rollout ends first, it ends with ``bootstrap_value[r]``, the value of the seat's own observation then,
    acting or not. Rewards before a row's first decision belong to a decision of an earlier rollout, whose
    bootstrap stood for them; they are passed over here.
    """
    advantage = np.empty(reward.shape, np.float32)
    return_ = np.empty(reward.shape, np.float32)
    _kernels.walk_chains(
        reward, value, learn, terminated, truncated, final_value, bootstrap_value,
        gamma, gae_lambda, advantage, return_,
    )  # fmt: skip
    return advantage, return_


def td_lambda(
    *,
    reward: FloatArray,
    value: FloatArray,
    learn: BoolArray,
    terminated: BoolArray,
    truncated: BoolArray,
    final_value: FloatArray,
    bootstrap_value: FloatArray,
    gamma: float,
    td_lambda: float,
) -> FloatArray:
    """Give the lambda-returns (Sutton and Barto 2018, section 12.1) ``[T, R]`` float32, zero where not `learn`.

    The chains and their ends are those of `gae`; with t' the next decision, k = t' - t steps later::

        return_(t) = sum_{i<k} gamma^i reward(t + i)
                   + gamma^k ((1 - td_lambda) value(t') + td_lambda return_(t'))

    that is, `gae`'s return. Where the game or the rollout ends first, the values there stand alone.
    """
    return gae(
        reward=reward, value=value, learn=learn, terminated=terminated, truncated=truncated,
        final_value=final_value, bootstrap_value=bootstrap_value, gamma=gamma, gae_lambda=td_lambda,
    )[1]  # fmt: skip


def upgo(
    *,
    reward: FloatArray,
    value: FloatArray,
    learn: BoolArray,
    terminated: BoolArray,
    truncated: BoolArray,
    final_value: FloatArray,
    bootstrap_value: FloatArray,
    gamma: float,
    td_lambda: float,
) -> FloatArray:
    """Give the returns of self-imitation upwards, ``[T, R]`` float32, zero where not `learn`.

    UPGO (Vinyals et al. 2019, https://doi.org/10.1038/s41586-019-1724-z, methods) follows what came of a decision as
    long as it went better than the value had it, and takes the value from there on. In the form with a lambda, in
    which the winner of Lux Season 1 used it, over chains and ends as those of `gae`::

        return_(t) = sum_{i<k} gamma^i reward(t + i)
                   + gamma^k max(value(t'), (1 - td_lambda) value(t') + td_lambda return_(t'))

    So it is never below the one-step return, nor below `td_lambda`'s.
    """
    return_ = np.empty(reward.shape, np.float32)
    _kernels.walk_upwards(
        reward, value, learn, terminated, truncated, final_value, bootstrap_value, gamma, td_lambda, return_
    )
    return return_


def vtrace(
    *,
    reward: FloatArray,
    value: FloatArray,
    log_ratio: FloatArray,
    learn: BoolArray,
    terminated: BoolArray,
    truncated: BoolArray,
    final_value: FloatArray,
    bootstrap_value: FloatArray,
    gamma: float,
    trace_lambda: float = 1.0,
    rho_clip: float = 1.0,
    trace_clip: float = 1.0,
) -> tuple[FloatArray, FloatArray]:
    """Give V-trace's (advantage, return_), both ``[T, R]`` float32, zero where not `learn`.

    `log_ratio` is ln of the present policy's probability of the decision over that of the policy which made it.
    Over chains and ends as those of `gae` (Espeholt et al. 2018, https://arxiv.org/abs/1802.01561, equation 1 and
    remark 2), with ratio = exp(log_ratio), rho = min(ratio, rho_clip), c = trace_lambda min(ratio, trace_clip)::

        delta(t)     = sum_{i<k} gamma^i reward(t + i) + gamma^k value(t') - value(t)
        return_(t)   = value(t) + rho(t) delta(t) + gamma^k c(t) (return_(t') - value(t'))
        advantage(t) = rho(t) (sum_{i<k} gamma^i reward(t + i) + gamma^k return_(t') - value(t))

    Where a game or the rollout ends first, return_(t') is the value there. On policy and with clips of 1 or more
    `return_` is `td_lambda`'s with the same lambda.
    """
    advantage = np.empty(reward.shape, np.float32)
    return_ = np.empty(reward.shape, np.float32)
    _kernels.walk_traces(
        reward, value, log_ratio, learn, terminated, truncated, final_value, bootstrap_value,
        gamma, trace_lambda, rho_clip, trace_clip, advantage, return_,
    )  # fmt: skip
    return advantage, return_


def explained_variance(value: FloatArray, return_: FloatArray) -> float:
    """1 - var(return_ - value) / var(return_), both ``[B]``; 0 where return_ does not vary."""
    if not len(value):
        return 0.0
    spread = float(return_.var())
    return 1.0 - float((return_ - value).var()) / spread if spread > 0.0 else 0.0
