"""Envs and games for the tests of the adapters inward: each shows one thing that none of the well-known ones does."""

import types

import gymnasium
import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv


class Everything(gymnasium.Env):
    """Every kind of space that is understood, a mask on the side, and both ways to end."""

    metadata = {"render_modes": ["ansi"]}  # noqa: RUF012 - gymnasium's own form
    observation_space = spaces.Dict(
        {
            "box": spaces.Box(-2.0, 2.0, (2,), np.float64),
            "image": spaces.Box(0, 255, (8, 9, 3), np.uint8),
            "count": spaces.Box(0, 10**6, (1,), np.int64),
            "choice": spaces.Discrete(3, start=-1),
            "pair": spaces.Tuple((spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(2))),
        }
    )
    action_space = spaces.Discrete(3, start=5)

    def __init__(self, both_at=None, render_mode=None):
        self.both_at, self.render_mode = both_at, render_mode

    def _seen(self):
        return {
            "box": np.array([self.t, -2.0]),
            "image": np.full((8, 9, 3), self.t, np.uint8),
            "count": np.array([10**5 + self.t]),
            "choice": np.int64(self.t % 3 - 1),
            "pair": (np.array([self.t % 2, self.t % 3]), np.array([1, 0], np.int8)),
        }

    def _info(self):
        mask = np.ones(3, np.int8)
        mask[self.t % 3] = 0
        return {"action_mask": mask}

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.t, self.length = 0, int(self.np_random.integers(3, 6))
        return self._seen(), self._info()

    def step(self, action):
        assert action in (5, 6, 7)
        self.t += 1
        over = self.t >= self.length
        both = self.t == self.both_at
        return self._seen(), float(action), over or both, both, self._info()

    def render(self):
        return f"\x1b[41mstep\x1b[0m {self.t}"


class Odd(gymnasium.Env):
    """A space that has no fixed size."""

    observation_space, action_space = spaces.Text(5), spaces.Discrete(2)


class Many(gymnasium.Env):
    """Several choices a step; the reward says which."""

    observation_space = spaces.Box(0.0, 1.0, (), np.float32)
    action_space = spaces.MultiDiscrete([2, 3])

    def reset(self, seed=None, options=None):
        return np.float32(0.5), {}

    def step(self, action):
        return np.float32(0.5), float(10 * action[0] + action[1]), True, False, {}


class Dying(ParallelEnv):
    """Three agents at once; agent k leaves after k + 1 steps, the last is cut off."""

    metadata = {"name": "dying"}  # noqa: RUF012 - pettingzoo's own form
    possible_agents = ["a", "b", "c"]  # noqa: RUF012

    def observation_space(self, agent):
        return spaces.Box(0, 9, (1,), np.float32)

    def action_space(self, agent):
        return spaces.Discrete(2)

    def reset(self, seed=None, options=None):
        self.agents, self.t = list(self.possible_agents), 0
        return {agent: np.array([0.0], np.float32) for agent in self.agents}, {
            agent: {} for agent in self.agents
        }

    def step(self, actions):
        assert set(actions) == set(self.agents)
        self.t += 1
        now = self.agents
        seen = {agent: np.array([self.t], np.float32) for agent in now}
        terminated = {
            agent: agent != "c" and self.possible_agents.index(agent) + 1 == self.t for agent in now
        }
        truncated = {agent: agent == "c" and self.t == 3 for agent in now}
        self.agents = [agent for agent in now if not terminated[agent] and not truncated[agent]]
        return seen, dict.fromkeys(now, 1.0), terminated, truncated, {agent: {} for agent in now}


class Turns(AECEnv):
    """Three agents in turn; agent b leaves at its first turn, and who acts pays the others one point."""

    metadata = {"name": "turns"}  # noqa: RUF012 - pettingzoo's own form
    possible_agents = ["a", "b", "c"]  # noqa: RUF012

    def observation_space(self, agent):
        return spaces.Discrete(10)

    def action_space(self, agent):
        return spaces.Discrete(2)

    def observe(self, agent):
        return min(self.t, 9)

    def reset(self, seed=None, options=None):
        self.agents, self.t = list(self.possible_agents), 0
        self.rewards = dict.fromkeys(self.agents, 0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0)
        self.terminations, self.truncations = (
            dict.fromkeys(self.agents, False),
            dict.fromkeys(self.agents, False),
        )
        self.infos = {agent: {} for agent in self.agents}
        self.agent_selection = "a"

    def step(self, action):
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        self._cumulative_rewards[agent] = 0
        self.t += 1
        self.rewards = {other: int(other != agent) for other in self.agents}
        if agent == "b":
            self.terminations["b"] = True
        if self.t == 5:
            self.truncations = dict.fromkeys(self.agents, True)
        order = [other for other in self.possible_agents if other in self.agents]
        self.agent_selection = order[(order.index(agent) + 1) % len(order)]
        self._accumulate_rewards()
        self._deads_step_first()


def module(**members):
    """A module with these members."""
    made = types.ModuleType("own_game")
    vars(made).update(members)
    return made
