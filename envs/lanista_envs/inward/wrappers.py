"""Wrappers for envs whose policies were trained with them, by their bare names in a recipe's `wrappers`."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from lanista.arrays import AnyArray
from lanista.errors import UsageError

#: an env that is registered without a limit says this or more
_NO_LIMIT = 1_000_000


def _flat_box(env: gymnasium.Env[Any, Any], name: str) -> spaces.Box:
    space = env.observation_space
    if not isinstance(space, spaces.Box) or len(space.shape) != 1:
        raise UsageError(
            f"wrapper {name}: it takes an observation that is one row of numbers, found {space}; lay "
            f"FlattenObservation before it"
        )
    return space


class TimeFeatureWrapper(gymnasium.ObservationWrapper[Any, Any, Any]):
    """Adds what is left of the episode, ``1 - steps / limit``, as a last number (Pardo et al. 2018).

    https://arxiv.org/abs/1712.00378. Some agents of the RL Zoo were trained with it. The limit is the env's own, or
    `max_steps` for one without. In `test_mode` the number is always 1: a check that a policy does not play by the clock.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], max_steps: int = 1000, test_mode: bool = False) -> None:
        """Add a number to the observation space."""
        super().__init__(env)
        space = _flat_box(env, "TimeFeatureWrapper")
        low, high = np.append(space.low, 0.0), np.append(space.high, 1.0)
        dtype: Any = space.dtype
        self.observation_space = spaces.Box(low.astype(dtype), high.astype(dtype), dtype=dtype)
        limit = env.spec.max_episode_steps if env.spec is not None else None
        self.limit = max_steps if limit is None or limit >= _NO_LIMIT else limit
        self.test_mode = test_mode
        self._steps = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin the clock anew."""
        self._steps = 0
        return super().reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:  # noqa: ANN401 - the env's own
        """Count the step."""
        self._steps += 1
        return super().step(action)

    def observation(self, observation: AnyArray) -> AnyArray:
        """``[A]`` to ``[A + 1]``."""
        left = 1.0 if self.test_mode else 1.0 - self._steps / self.limit
        return np.append(observation, left).astype(observation.dtype)


class ZeroContactForces(gymnasium.ObservationWrapper[Any, Any, Any]):
    """Shows the first `kept` numbers and then `zeros` zeros: Ant as it was in ``Ant-v3``.

    The physics binding of that day gave 0 for the 84 contact forces of ``Ant-v3``. Policies that learnt with them fall
    over when ``Ant-v4`` shows true ones; with this wrapper, and contact forces on or off, they walk.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], kept: int = 27, zeros: int = 84) -> None:
        """Widen or narrow the observation space to `kept` + `zeros`."""
        super().__init__(env)
        space = _flat_box(env, "ZeroContactForces")
        if space.shape[0] < kept:
            raise UsageError(
                f"wrapper ZeroContactForces: kept = {kept}, and the env shows {space.shape[0]} numbers; give fewer"
            )
        self.kept, self.zeros = kept, zeros
        dtype: Any = space.dtype
        low, high = (
            np.append(edge[:kept], np.full(zeros, wide))
            for edge, wide in ((space.low, -np.inf), (space.high, np.inf))
        )
        self.observation_space = spaces.Box(low.astype(dtype), high.astype(dtype), dtype=dtype)

    def observation(self, observation: AnyArray) -> AnyArray:
        """Any length from `kept` on to ``[kept + zeros]``."""
        return np.append(observation[: self.kept], np.zeros(self.zeros)).astype(observation.dtype)


OURS: dict[str, type[gymnasium.Wrapper[Any, Any, Any, Any]]] = {
    "TimeFeatureWrapper": TimeFeatureWrapper,
    "ZeroContactForces": ZeroContactForces,
}
