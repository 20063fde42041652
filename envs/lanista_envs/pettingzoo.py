"""Native envs whose seats take turns, as PettingZoo's `AECEnv`, with ``action_mask`` in the observation."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv
from pettingzoo.utils import wrappers

from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista_envs.gym_view import action_space, build_env, observation_space


def env(name: str, render_mode: str | None = None, **settings: Any) -> Any:  # noqa: ANN401 - pettingzoo is untyped
    """The env `name` in PettingZoo's usual wrappers: an illegal move loses, and calls in a wrong order are told."""
    inner = raw_env(name, render_mode, **settings)
    inner = wrappers.TerminateIllegalWrapper(inner, illegal_reward=-1)
    return wrappers.OrderEnforcingWrapper(wrappers.AssertOutOfBoundsWrapper(inner))


def raw_env(name: str, render_mode: str | None = None, **settings: Any) -> TurnsView:  # noqa: ANN401
    """The env `name` without wrappers; an illegal move is an error of the env."""
    return TurnsView(build_env(name, 1, 1, settings), render_mode)


class TurnsView(AECEnv):  # type: ignore[misc] # pettingzoo is untyped
    """One game of a native env whose seats take turns. Agents are ``seat_0``, ``seat_1``, ..."""

    def __init__(self, game: VecEnv, render_mode: str | None = None) -> None:
        """Show `game`, an env for one game whose seats take turns and which has one head."""
        super().__init__()
        spec = game.spec
        if spec.turns != "alternating" or len(spec.heads) != 1 or game.num_games != 1:
            raise UsageError(
                f"env {spec.name} has {spec.turns} turns, {len(spec.heads)} heads and {game.num_games} games; "
                f"the AEC view shows one game of an env with alternating turns and one head"
            )
        self.game = game
        self.render_mode = render_mode
        self.metadata = {
            "name": f"{spec.name}_v{spec.version}", "render_modes": ["ansi"], "is_parallelizable": False
        }  # fmt: skip
        self.possible_agents = [f"seat_{seat}" for seat in range(spec.seats)]
        self.agents: list[str] = []
        self._head = spec.heads[0]
        parts = observation_space(spec, getattr(game, "observation_bounds", {}))
        mask = spaces.Box(0, 1, (self._head.size,), np.int8)
        self.observation_spaces = {
            agent: spaces.Dict({"observation": parts, "action_mask": mask}) for agent in self.possible_agents
        }
        self.action_spaces = {agent: action_space(spec) for agent in self.possible_agents}

    def observation_space(self, agent: str) -> Any:  # noqa: ANN401 - a gymnasium space
        """Observation and mask of an agent."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:  # noqa: ANN401 - a gymnasium space
        """The choices of an agent."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Start a game; `seed` starts the env's streams, if it draws at all."""
        if seed is not None:
            self._seeds = np.random.default_rng(seed)
        elif not hasattr(self, "_seeds"):
            self._seeds = np.random.default_rng()
        self.game.reset(int(self._seeds.integers(2**62)))
        self.agents = list(self.possible_agents)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        self.agent_selection = self._to_move()
        self._over = False

    def _to_move(self) -> str:
        return self.possible_agents[int(self.game.acting[0].argmax())]

    def observe(self, agent: str) -> dict[str, Any]:
        """What `agent` sees; its mask is all 0 when it is not to move."""
        seat = self.possible_agents.index(agent)
        shown = self.game.final_observation if self._over else self.game.observation
        parts = {name: array[0, seat].copy() for name, array in shown.items()}
        mask = np.zeros(self._head.size, np.int8)
        if not self._over and self.game.acting[0, seat]:
            mask[:] = self.game.legal[self._head.name][0, seat]
        return {"observation": parts if len(parts) > 1 else next(iter(parts.values())), "action_mask": mask}

    def step(self, action: int | None) -> None:
        """Play the move of the agent that is to move."""
        if self.terminations[self.agent_selection] or self.truncations[self.agent_selection]:
            self._was_dead_step(action)
            return
        agent = self.agent_selection
        actions = np.full((1, self.game.spec.seats), action, np.int64)
        self.game.step({self._head.name: actions})
        self._over = bool(self.game.ended[0])
        facts = self.game.final_facts if self._over else self.game.facts
        self._cumulative_rewards[agent] = 0.0
        for seat, other in enumerate(self.possible_agents):
            self.rewards[other] = float(facts["reward"][0, seat])
            self.terminations[other] = bool(self.game.terminated[0, seat])
            self.truncations[other] = bool(self.game.truncated[0, seat])
        if self._over:
            self.agent_selection = self.agents[(self.agents.index(agent) + 1) % len(self.agents)]
        else:
            self.agent_selection = self._to_move()
        self._accumulate_rewards()

    def render(self) -> str | None:
        """The running game as text, if the view was made with ``render_mode="ansi"``."""
        return self.game.render(0) if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Let go of what the env holds."""
        self.game.close()
