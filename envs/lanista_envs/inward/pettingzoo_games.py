"""One game of PettingZoo, whichever of its two forms it has, with one set of words.

`AecGame`: agents take turns, and one that is out of the game must step once more with None, which is done here.
`ParallelGame`: the agents that are in the game step together.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from lanista.arrays import AnyArray


@dataclass
class Stepped:
    """What a step did, by agent."""

    rewards: dict[str, float]
    #: agents that left the game in this step, by its rules or cut off; their last observations
    terminated: set[str] = field(default_factory=set)
    truncated: set[str] = field(default_factory=set)
    last: dict[str, Any] = field(default_factory=dict)


class Game(Protocol):
    """One game."""

    #: every agent that can ever take part, in the order of the seats
    agents: tuple[str, ...]

    def begin(self, seed: int) -> None:
        """Begin an episode."""

    @property
    def live(self) -> Iterable[str]:
        """The agents that are in the game; none when it is over."""

    @property
    def acting(self) -> Iterable[str]:
        """The agents that must act now."""

    def look(self, agent: str) -> Any:  # noqa: ANN401 - gymnasium's tree
        """What an agent sees, its mask included if it comes with the observation."""

    def info(self, agent: str) -> dict[str, Any]:
        """What the game says to an agent on the side."""

    def step(self, actions: dict[str, Any]) -> Stepped:
        """Play one step; `actions` are those of the acting agents."""


class AecGame:
    """A game whose agents take turns."""

    def __init__(self, env: Any) -> None:  # noqa: ANN401 - pettingzoo's AECEnv
        """Take an env as its module's `env` makes it."""
        self._env = env
        self.agents = tuple(env.possible_agents)

    def begin(self, seed: int) -> None:
        """Begin an episode."""
        self._env.reset(seed=seed)
        self._bury()

    @property
    def live(self) -> Iterable[str]:
        """The agents that are in the game."""
        return tuple(self._env.agents)

    @property
    def acting(self) -> Iterable[str]:
        """The agent whose turn it is."""
        return (self._env.agent_selection,) if self._env.agents else ()

    def look(self, agent: str) -> Any:  # noqa: ANN401 - gymnasium's tree
        """What an agent sees."""
        return self._env.observe(agent)

    def info(self, agent: str) -> dict[str, Any]:
        """What the game says to an agent on the side."""
        found: dict[str, Any] = self._env.infos.get(agent, {})
        return found

    def step(self, actions: dict[str, Any]) -> Stepped:
        """Let the agent whose turn it is act.

        The rewards of a step are what it adds to what each agent has gathered since its own last turn. Some games
        forget to empty the acting agent's store, so it is emptied here.
        """
        env = self._env
        ((agent, action),) = actions.items()
        gathered = env.unwrapped._cumulative_rewards
        gathered[agent] = 0
        before = dict(gathered)
        env.step(action)
        after = env.unwrapped._cumulative_rewards
        stepped = Stepped({name: float(after[name] - before.get(name, 0)) for name in after})
        for name in env.agents:
            if env.terminations[name]:
                stepped.terminated.add(name)
            elif env.truncations[name]:
                stepped.truncated.add(name)
        for name in stepped.terminated | stepped.truncated:
            stepped.last[name] = env.observe(name)
        self._bury()
        return stepped

    def _bury(self) -> None:
        """Let agents that are out of the game take the empty step that PettingZoo asks of them."""
        env = self._env
        while env.agents and (env.terminations[env.agent_selection] or env.truncations[env.agent_selection]):
            env.step(None)


class ParallelGame:
    """A game whose agents act at once."""

    def __init__(self, env: Any) -> None:  # noqa: ANN401 - pettingzoo's ParallelEnv
        """Take an env as its module's `parallel_env` makes it."""
        self._env = env
        self.agents = tuple(env.possible_agents)
        self._seen: dict[str, Any] = {}
        self._infos: dict[str, Any] = {}

    def begin(self, seed: int) -> None:
        """Begin an episode."""
        self._seen, self._infos = self._env.reset(seed=seed)

    @property
    def live(self) -> Iterable[str]:
        """The agents that are in the game."""
        return tuple(self._env.agents)

    @property
    def acting(self) -> Iterable[str]:
        """All that are in the game."""
        return tuple(self._env.agents)

    def look(self, agent: str) -> Any:  # noqa: ANN401 - gymnasium's tree
        """What an agent sees."""
        return self._seen[agent]

    def info(self, agent: str) -> dict[str, Any]:
        """What the game says to an agent on the side."""
        found: dict[str, Any] = self._infos.get(agent, {})
        return found

    def step(self, actions: dict[str, Any]) -> Stepped:
        """Let all act."""
        self._seen, rewards, terminated, truncated, self._infos = self._env.step(actions)
        stepped = Stepped({name: float(reward) for name, reward in rewards.items()})
        stepped.terminated = {name for name, over in terminated.items() if over}
        stepped.truncated = {name for name, over in truncated.items() if over} - stepped.terminated
        for name in stepped.terminated | stepped.truncated:
            stepped.last[name] = self._seen[name]
        return stepped


def mask_of(game: Game, agent: str, seen: Any) -> AnyArray | None:  # noqa: ANN401 - gymnasium's tree
    """The legal actions that come with an observation, or on the side; None if all are legal."""
    mask = seen.get("action_mask") if isinstance(seen, dict) else None
    if mask is None:
        mask = game.info(agent).get("action_mask")
    return None if mask is None else np.asarray(mask) != 0
