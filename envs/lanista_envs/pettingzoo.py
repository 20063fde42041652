"""Native envs with several seats as PettingZoo sees the world.

Seats that take turns make an `AECEnv` (`env`, `raw_env`), seats that act at once a `ParallelEnv` (`parallel_env`).
Both show one game; agents are ``seat_0``, ``seat_1``, ... An agent sees ``{"observation", "action_mask"}`` (no mask where
its action is real numbers), and of an env with acting units ``{"observation", "units"}``: the units are sequences of any
length, and so is the action.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils import wrappers

from lanista.actions import blank_actions
from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista.spec import HeadSpec
from lanista_envs.gym_view import Bounds, action_space, build_env, observation_space, part_box


def env(name: str, render_mode: str | None = None, **settings: Any) -> Any:  # noqa: ANN401 - pettingzoo is untyped
    """The env `name` in PettingZoo's usual wrappers: an illegal move loses, and calls in a wrong order are told."""
    inner = raw_env(name, render_mode, **settings)
    inner = wrappers.TerminateIllegalWrapper(inner, illegal_reward=-1)
    return wrappers.OrderEnforcingWrapper(wrappers.AssertOutOfBoundsWrapper(inner))


def raw_env(name: str, render_mode: str | None = None, **settings: Any) -> TurnsView:  # noqa: ANN401
    """The env `name` without wrappers; an illegal move is an error of the env."""
    return TurnsView(build_env(name, 1, 1, settings), render_mode)


def parallel_env(name: str, render_mode: str | None = None, **settings: Any) -> TogetherView:  # noqa: ANN401
    """The env `name`, whose seats act at once."""
    return TogetherView(build_env(name, 1, 1, settings), render_mode)


#: more cells than any board has; an env does not say how many its own has
_CELLS = 2**31


class _Game:
    """What both views do: spaces, seeds, observations and rewards of one game."""

    def __init__(self, game: VecEnv, render_mode: str | None) -> None:
        spec = game.spec
        self.game = game
        self.render_mode = render_mode
        self.head: HeadSpec = spec.heads[0]
        self.agents = [f"seat_{seat}" for seat in range(spec.seats)]
        bounds: Bounds = getattr(game, "observation_bounds", {})
        parts: dict[str, spaces.Space[Any]] = {"observation": observation_space(spec, bounds)}
        if self.head.kind == "units":
            parts["units"] = self._units_space(bounds)
            choice: spaces.Space[Any] = spaces.Discrete(self.head.size)
            self.actions = [
                cast("spaces.Space[Any]", spaces.Sequence(choice, stack=True)) for _ in self.agents
            ]
        else:
            if not self.head.continuous:
                parts["action_mask"] = spaces.Box(0, 1, (self.head.size,), np.int8)
            self.actions = [action_space(spec) for _ in self.agents]
        self.observations = [spaces.Dict(parts) for _ in self.agents]

    def _units_space(self, bounds: Bounds) -> spaces.Space[Any]:
        """Where each unit stands, its kind, its legal choices, and what is shown of it."""
        each: dict[str, spaces.Space[Any]] = {
            "cell": spaces.Discrete(_CELLS),
            "kind": spaces.Discrete(len(self.head.units)),
            "legal": spaces.MultiBinary(self.head.size),
        }
        each |= {part.name: part_box(part, bounds) for part in self.game.spec.unit_observation}
        return spaces.Dict({name: spaces.Sequence(space, stack=True) for name, space in each.items()})

    def reset(self, seed: int | None) -> None:
        """Start a game; `seed` starts the streams that later games draw from, too."""
        if seed is not None:
            self._seeds = np.random.default_rng(seed)
        elif not hasattr(self, "_seeds"):
            self._seeds = np.random.default_rng()
        self.game.reset(int(self._seeds.integers(2**62)))
        self.over = False

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Play one step."""
        self.game.step(actions)
        self.over = bool(self.game.ended[0])

    def reward(self, seat: int) -> float:
        """The last step's."""
        facts = self.game.final_facts if self.over else self.game.facts
        return float(facts["reward"][0, seat])

    def observe(self, seat: int) -> dict[str, Any]:
        """Copies of what `seat` sees; it has no legal action when it is not to act."""
        game = self.game
        shown = game.final_observation if self.over else game.observation
        parts = {name: array[0, seat].copy() for name, array in shown.items()}
        seen: dict[str, Any] = {"observation": parts if len(parts) > 1 else next(iter(parts.values()))}
        if self.head.kind == "units":
            first, last = (0, 0) if self.over else game.unit_offsets[seat : seat + 2].tolist()
            seen["units"] = {
                "cell": game.unit_cell[first:last].copy(),
                "kind": game.unit_kind[first:last].copy(),
                "legal": game.unit_legal[first:last].astype(np.int8),
            } | {name: array[first:last].copy() for name, array in game.unit_observation.items()}
            return seen
        if self.head.continuous:
            return seen
        mask = seen["action_mask"] = np.zeros(self.head.size, np.int8)
        if not self.over and game.acting[0, seat]:
            mask[:] = game.legal[self.head.name][0, seat]
        return seen

    def render(self) -> str | None:
        """The running game as text, if the view was made with ``render_mode="ansi"``."""
        return self.game.render(0) if self.render_mode == "ansi" else None

    def metadata(self, is_parallelizable: bool) -> dict[str, Any]:
        """What PettingZoo wants to know."""
        return {
            "name": f"{self.game.spec.name}_v{self.game.spec.version}", "render_modes": ["ansi"],
            "is_parallelizable": is_parallelizable,
        }  # fmt: skip


class _View:
    """What both views have: agents and their spaces, text, an end."""

    #: how PettingZoo calls the view, and the turns of the games that it shows
    kind: str
    turns: str

    def _set_up(self, game: VecEnv, render_mode: str | None) -> None:
        spec = game.spec
        if spec.turns != self.turns or len(spec.heads) != 1 or game.num_games != 1:
            raise UsageError(
                f"env {spec.name} has {spec.turns} turns, {len(spec.heads)} heads and {game.num_games} games; "
                f"the {self.kind} view shows one game of an env with {self.turns} turns and one head"
            )
        self.game = game
        self.render_mode = render_mode
        self._game = shown = _Game(game, render_mode)
        self.metadata = shown.metadata(is_parallelizable=self.turns == "simultaneous")
        self.possible_agents = shown.agents
        self.agents: list[str] = []
        self.observation_spaces = dict(zip(shown.agents, shown.observations, strict=True))
        self.action_spaces = dict(zip(shown.agents, shown.actions, strict=True))

    def observation_space(self, agent: str) -> Any:  # noqa: ANN401 - a gymnasium space
        """Observation of an agent, with its mask or its units."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:  # noqa: ANN401 - a gymnasium space
        """The choices of an agent."""
        return self.action_spaces[agent]

    def render(self) -> str | None:
        """The running game as text, if the view was made with ``render_mode="ansi"``."""
        return self._game.render()

    def close(self) -> None:
        """Let go of what the env holds."""
        self.game.close()


class TurnsView(_View, AECEnv):  # type: ignore[misc] # pettingzoo is untyped
    """One game of a native env whose seats take turns."""

    kind, turns = "AEC", "alternating"

    def __init__(self, game: VecEnv, render_mode: str | None = None) -> None:
        """Show `game`, an env for one game whose seats take turns and which has one head."""
        super().__init__()
        self._set_up(game, render_mode)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Start a game; `seed` starts the env's streams, if it draws at all."""
        self._game.reset(seed)
        self.agents = list(self.possible_agents)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        self.agent_selection = self._to_move()

    def _to_move(self) -> str:
        return self.possible_agents[int(self.game.acting[0].argmax())]

    def observe(self, agent: str) -> dict[str, Any]:
        """What `agent` sees; its mask is all 0 when it is not to move."""
        return self._game.observe(self.possible_agents.index(agent))

    def step(self, action: int | None) -> None:
        """Play the move of the agent that is to move."""
        if self.terminations[self.agent_selection] or self.truncations[self.agent_selection]:
            self._was_dead_step(action)
            return
        agent = self.agent_selection
        chosen = blank_actions(self.game.spec, 1, self.game.spec.seats)
        chosen[self._game.head.name][:] = action
        self._game.step(chosen)
        self._cumulative_rewards[agent] = 0.0
        for seat, other in enumerate(self.possible_agents):
            self.rewards[other] = self._game.reward(seat)
            self.terminations[other] = bool(self.game.terminated[0, seat])
            self.truncations[other] = bool(self.game.truncated[0, seat])
        if self._game.over:
            self.agent_selection = self.agents[(self.agents.index(agent) + 1) % len(self.agents)]
        else:
            self.agent_selection = self._to_move()
        self._accumulate_rewards()


class TogetherView(_View, ParallelEnv):  # type: ignore[misc] # pettingzoo is untyped
    """One game of a native env whose seats act at once.

    Of units an action holds a choice for each, in the order of the observation. A unit without one, or with one
    that is not legal now, takes its first legal choice, as a game goes on whatever a player sends; what is given
    beyond the last unit is ignored.
    """

    kind, turns = "parallel", "simultaneous"

    def __init__(self, game: VecEnv, render_mode: str | None = None) -> None:
        """Show `game`, an env for one game whose seats act at once and which has one head."""
        self._set_up(game, render_mode)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Start a game; `seed` starts the env's streams, if it draws at all."""
        self._game.reset(seed)
        self.agents = list(self.possible_agents)
        return self._seen(self.agents), {agent: {} for agent in self.agents}

    def _seen(self, agents: list[str]) -> dict[str, Any]:
        return {agent: self._game.observe(self.possible_agents.index(agent)) for agent in agents}

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, Any]]:
        """Play one step with an action for each agent that is left."""
        acted, game, head = self.agents, self.game, self._game.head
        seats = [self.possible_agents.index(agent) for agent in acted]
        if head.kind == "units":
            chosen = game.unit_legal.argmax(1)
            for agent, seat in zip(acted, seats, strict=True):
                self._fill(chosen, seat, actions.get(agent, ()))
        else:
            chosen = blank_actions(game.spec, 1, game.spec.seats)[head.name]
            for agent, seat in zip(acted, seats, strict=True):
                chosen[0, seat] = actions.get(agent, 0)
        self._game.step({head.name: chosen})
        rewards = {agent: self._game.reward(seat) for agent, seat in zip(acted, seats, strict=True)}
        flags = [
            {agent: bool(flag[0, seat]) for agent, seat in zip(acted, seats, strict=True)}
            for flag in (game.terminated, game.truncated)
        ]
        self.agents = [agent for agent in acted if not (flags[0][agent] or flags[1][agent])]
        return self._seen(acted), rewards, flags[0], flags[1], {agent: {} for agent in acted}

    def _fill(self, chosen: AnyArray, seat: int, action: Any) -> None:  # noqa: ANN401 - an array, a list, a tuple
        """Put the legal choices among `action` into the rows of `seat`."""
        first, last = self.game.unit_offsets[seat : seat + 2].tolist()
        given = np.asarray(action, np.int64).reshape(-1)[: last - first]
        rows = np.arange(first, first + len(given))
        legal = (given >= 0) & (given < self._game.head.size)
        legal[legal] = self.game.unit_legal[rows[legal], given[legal]]
        chosen[rows[legal]] = given[legal]
