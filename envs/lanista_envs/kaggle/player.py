"""Players ``kaggle:AGENT``: the agents that an environment of kaggle-environments brings along."""

import numpy as np

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista.spec import EnvSpec
from lanista_envs.kaggle.env import KaggleEnv
from lanista_envs.kaggle.settings import KaggleAgentSettings


class KaggleAgent:
    """Asks the env's own agent, in the child that plays the game; its chance and memory are the game's."""

    def __init__(self, env_spec: EnvSpec, settings: KaggleAgentSettings, seed: int) -> None:
        """`seed` is not used: the agent draws from its game's stream."""
        del seed
        if not env_spec.name.startswith("kaggle:"):
            raise UsageError(
                f"player kaggle:{settings.agent} plays in envs kaggle:NAME only, and {env_spec.name} is another; "
                f"train in the kaggle: env, or take another player"
            )
        self._agent = settings.agent
        (head,) = env_spec.heads
        self._head = head.name

    def act(self, env: VecEnv, games: np.ndarray, seats: np.ndarray) -> dict[str, AnyArray]:
        """Choose for the rows ``(games[b], seats[b])``."""
        if not isinstance(env, KaggleEnv):
            raise UsageError(f"player kaggle:{self._agent} was asked to play in {env.spec.name}; it cannot")
        return {self._head: env.ask_agent(self._agent, games, seats)}

    def state(self) -> dict[str, AnyArray]:
        """Nothing: a game that is begun anew brings its agents anew."""
        return {}

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""
