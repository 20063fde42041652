"""How sharp a policy the Q values of a teacher are taken for.

Q has the units of the return, so no one temperature fits all: where all actions are worth about the same, as when a
mistake can be mended in the next step, the gaps are small beside the values. The temperature is therefore a share of
the median gap between the best and the second-best action, over states of the teacher's own play.
"""

import numpy as np
import torch

from lanista.actions import blank_actions, random_actions
from lanista.env import VecEnv
from lanista.plugins import Registry
from lanista.policy import Policy

#: the temperature in gaps: the best action then has e^2 times the chance of the second at the median state
SHARE = 0.5
#: steps of play, one move in ten of them at random, so that mistakes are seen, too
STEPS = 500
RANDOM = 0.1


def temperature_of(policy: Policy, registry: Registry) -> tuple[float, str]:
    """Play the env of the card and give (temperature, a sentence about it); `policy` has the temperature 1."""
    card = policy.card
    settings = registry.settings("envs", card.env, card.env_settings)
    env: VecEnv = registry.load("envs", card.env)(1, settings, 1)
    try:
        gaps = _gaps(policy, env)
    finally:
        env.close()
    if not gaps.size or not float(np.median(gaps)) > 0.0:
        return 1.0, "Q temperature 1: its best two actions are worth the same, or there is only one"
    gap = float(np.median(gaps))
    chosen = float(np.float32(SHARE * gap))
    return chosen, f"Q temperature {chosen:.4g}, {SHARE:g} of the median gap of Q over {gaps.size} states"


def _gaps(policy: Policy, env: VecEnv) -> np.ndarray:
    (head,) = env.spec.heads
    draw = np.random.default_rng(0)
    env.reset(0)
    gaps: list[float] = []
    actions = blank_actions(env.spec, 1, env.spec.seats)
    for _ in range(STEPS):
        for seat in np.flatnonzero(env.acting[0]):
            observation = {
                name: torch.from_numpy(part[:, seat].copy()) for name, part in env.observation.items()
            }
            with torch.no_grad():
                q = policy.network(observation).logits[head.name][0].numpy()
            legal = env.legal[head.name][0, seat]
            allowed = np.sort(q[legal])
            if allowed.size > 1:
                gaps.append(float(allowed[-1] - allowed[-2]))
            actions[head.name][0, seat] = np.where(legal, q, -np.inf).argmax()
            if draw.random() < RANDOM:
                actions[head.name][0, seat] = random_actions(head, legal, draw.random(head.size))
        env.step(actions)
    return np.array(gaps)
