"""The learners' loops over plain arrays, compiled by numba.

At these sizes a torch call costs more than it computes, so one loop takes the place of some twenty calls.
"""

import math

import numpy as np

from lanista.arrays import AnyArray


def walk_chains(
    reward: AnyArray,
    value: AnyArray,
    learn: AnyArray,
    terminated: AnyArray,
    truncated: AnyArray,
    final_value: AnyArray,
    bootstrap_value: AnyArray,
    gamma: float,
    gae_lambda: float,
    advantage: AnyArray,
    return_: AnyArray,
) -> None:
    """Fill `advantage` and `return_`, as `lanista_agents.returns.gae` says; the arrays are as there."""
    steps, rows = reward.shape
    # What lies ahead of each row: the discounted rewards up to its next decision plus the value there, and
    # that decision's advantage, discounted likewise.
    worth = np.empty(rows, np.float64)
    ahead = np.zeros(rows, np.float64)
    for r in range(rows):
        worth[r] = bootstrap_value[r]
    for t in range(steps - 1, -1, -1):
        for r in range(rows):
            if terminated[t, r]:
                worth[r] = 0.0
                ahead[r] = 0.0
            elif truncated[t, r]:
                worth[r] = final_value[t, r]
                ahead[r] = 0.0
            worth[r] = reward[t, r] + gamma * worth[r]
            ahead[r] = gamma * ahead[r]
            if learn[t, r]:
                ahead[r] = worth[r] - value[t, r] + gae_lambda * ahead[r]
                advantage[t, r] = ahead[r]
                return_[t, r] = ahead[r] + value[t, r]
                worth[r] = value[t, r]
            else:
                advantage[t, r] = 0.0
                return_[t, r] = 0.0


def surrogate(
    logprob: AnyArray,
    entropy: AnyArray,
    value: AnyArray,
    old_logprob: AnyArray,
    old_value: AnyArray,
    advantage: AnyArray,
    return_: AnyArray,
    normalise: bool,
    clip: float,
    value_clip: float,
    value_coef: float,
    entropy_coef: float,
    gradient: AnyArray,
    figures: AnyArray,
) -> None:
    """Fill `gradient`, ``[3, B]``, of PPO's loss by logprob, entropy and value, and 6 `figures`.

    The other arrays are ``[B]``. The `figures` are, with ratio = exp(logprob - old_logprob) (Schulman et al.
    2017, eq. 7)::

        loss        = policy_loss + value_coef * value_loss - entropy_coef * entropy
        policy_loss = -mean min(ratio * advantage, clip(ratio, 1 - clip, 1 + clip) * advantage)
        value_loss  = mean 1/2 (value - return_)^2; with a value clip, of that and the held value's the larger
        entropy     = mean entropy
        approx_kl   = mean (ratio - 1 - log ratio)      (Schulman, http://joschu.net/blog/kl-approx.html)
        clipfrac    = share of rows with |ratio - 1| > clip

    `value_clip` is infinite for none.
    """
    rows = logprob.shape[0]
    center = 0.0
    spread = 1.0
    if normalise:
        for row in range(rows):
            center += advantage[row]
        center /= rows
        variance = 0.0
        for row in range(rows):
            variance += (advantage[row] - center) ** 2
        spread = math.sqrt(variance / rows) + 1e-8
    policy_loss = value_loss = bonus = kl = clipped = 0.0
    for row in range(rows):
        scaled = (advantage[row] - center) / spread
        log_ratio = np.float64(logprob[row]) - old_logprob[row]
        ratio = math.exp(log_ratio)
        kl += ratio - 1.0 - log_ratio
        clipped += abs(ratio - 1.0) > clip
        free = ratio * scaled
        held = min(max(ratio, 1.0 - clip), 1.0 + clip) * scaled
        policy_loss -= min(free, held)
        gradient[0, row] = -free / rows if free <= held else 0.0

        error = np.float64(value[row]) - return_[row]
        slope = error
        loss = error * error
        moved = np.float64(value[row]) - old_value[row]
        if abs(moved) > value_clip:
            held_error = old_value[row] + math.copysign(value_clip, moved) - return_[row]
            if held_error * held_error > loss:
                loss = held_error * held_error
                slope = 0.0
        value_loss += 0.5 * loss
        gradient[1, row] = -entropy_coef / rows
        gradient[2, row] = value_coef * slope / rows
        bonus += entropy[row]
    figures[1] = policy_loss / rows
    figures[2] = value_loss / rows
    figures[3] = bonus / rows
    figures[4] = kl / rows
    figures[5] = clipped / rows
    figures[0] = figures[1] + value_coef * figures[2] - entropy_coef * figures[3]


def adam_step(
    weight: AnyArray,
    gradient: AnyArray,
    first: AnyArray,
    second: AnyArray,
    scale: np.float32,
    keep_first: np.float32,
    take_first: np.float32,
    keep_second: np.float32,
    take_second: np.float32,
    step_size: np.float32,
    correction: np.float32,
    eps: np.float32,
) -> None:
    """Change `weight` and both moments in place by the gradient times `scale`; all ``[P]`` float32."""
    # All float32, as the weights are, so that the loop runs in vector registers.
    for i in range(weight.shape[0]):
        g = gradient[i] * scale
        m = first[i] * keep_first + take_first * g
        v = second[i] * keep_second + take_second * g * g
        first[i] = m
        second[i] = v
        weight[i] -= np.divide(step_size * m, np.sqrt(v) * correction + eps)


def walk_traces(
    reward: AnyArray,
    value: AnyArray,
    log_ratio: AnyArray,
    learn: AnyArray,
    terminated: AnyArray,
    truncated: AnyArray,
    final_value: AnyArray,
    bootstrap_value: AnyArray,
    gamma: float,
    trace_lambda: float,
    rho_clip: float,
    trace_clip: float,
    advantage: AnyArray,
    return_: AnyArray,
) -> None:
    """Fill `advantage` and `return_`, as `lanista_agents.returns.vtrace` says; the arrays are as there."""
    steps, rows = reward.shape
    # The discounted rewards up to the next decision, plus the value there and the target there.
    worth = np.empty(rows, np.float64)
    aim = np.empty(rows, np.float64)
    for r in range(rows):
        worth[r] = aim[r] = bootstrap_value[r]
    for t in range(steps - 1, -1, -1):
        for r in range(rows):
            if terminated[t, r]:
                worth[r] = aim[r] = 0.0
            elif truncated[t, r]:
                worth[r] = aim[r] = final_value[t, r]
            worth[r] = reward[t, r] + gamma * worth[r]
            aim[r] = reward[t, r] + gamma * aim[r]
            if learn[t, r]:
                ratio = math.exp(min(np.float64(log_ratio[t, r]), 700.0))
                rho = min(ratio, rho_clip)
                own = np.float64(value[t, r])
                advantage[t, r] = rho * (aim[r] - own)
                trace = trace_lambda * min(ratio, trace_clip)
                aim[r] = own + rho * (worth[r] - own) + trace * (aim[r] - worth[r])
                return_[t, r] = aim[r]
                worth[r] = own
            else:
                advantage[t, r] = 0.0
                return_[t, r] = 0.0


def walk_upwards(
    reward: AnyArray,
    value: AnyArray,
    learn: AnyArray,
    terminated: AnyArray,
    truncated: AnyArray,
    final_value: AnyArray,
    bootstrap_value: AnyArray,
    gamma: float,
    td_lambda: float,
    return_: AnyArray,
) -> None:
    """Fill `return_`, as `lanista_agents.returns.upgo` says; the arrays are as there."""
    steps, rows = reward.shape
    ahead = np.empty(rows, np.float64)
    for r in range(rows):
        ahead[r] = bootstrap_value[r]
    for t in range(steps - 1, -1, -1):
        for r in range(rows):
            if terminated[t, r]:
                ahead[r] = 0.0
            elif truncated[t, r]:
                ahead[r] = final_value[t, r]
            ahead[r] = reward[t, r] + gamma * ahead[r]
            if learn[t, r]:
                return_[t, r] = ahead[r]
                own = np.float64(value[t, r])
                ahead[r] = own + td_lambda * max(ahead[r] - own, 0.0)
            else:
                return_[t, r] = 0.0
