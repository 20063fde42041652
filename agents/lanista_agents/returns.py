"""Returns and advantages as pure functions over ``[T, R]`` arrays, along the chains of a seat's decisions.

Rows with ``learn[t, r]`` are decisions; the steps in between belong to the decision before them, whoever
acted.
"""

import numpy as np

from lanista.arrays import BoolArray, FloatArray
from lanista.kernels import compile_kernels
from lanista_agents import kernels

_kernels = compile_kernels(kernels, label="learners")


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
