"""Native envs with one seat as gymnasium sees the world: a `VectorEnv` for N games, an `Env` for one.

The vector view restarts a game in the step in which it ends (``AutoresetMode.SAME_STEP``) and gives the last
observation as ``infos["final_obs"]``, as gymnasium's own vector envs do in that mode. One thing differs from
gymnasium's classic envs: at the time limit an episode that ends by the rules is terminated, not both.
Only the array of returned observations is new in every step; nothing in it is overwritten later.
"""

from typing import Any, SupportsInt

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from lanista.actions import bounds as head_bounds
from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista.plugins import load_plugins
from lanista.spec import EnvSpec, HeadSpec, ObsPart

#: what an env's `observation_bounds` may hold: part name -> (low, high), each broadcast over the part's shape
Bounds = dict[str, tuple[Any, Any]]


def build_env(name: str, num_games: int, num_threads: int, settings: dict[str, Any]) -> VecEnv:
    """Build the env that a plugin offers as `name`."""
    registry = load_plugins().registry
    env: VecEnv = registry.load("envs", name)(
        num_games, registry.settings("envs", name, settings), num_threads
    )
    return env


def make_single(name: str, render_mode: str | None = None, **settings: Any) -> "SingleView":  # noqa: ANN401
    """One game of the env `name` (gymnasium's entry point); `settings` are the env's own."""
    return SingleView(build_env(name, 1, 1, settings), render_mode)


def make_vector(
    name: str, num_envs: int = 1, num_threads: int = 1, max_episode_steps: int | None = None,
    render_mode: str | None = None, **settings: Any,  # noqa: ANN401
) -> "VectorView":  # fmt: skip
    """`num_envs` games of the env `name` (gymnasium's vector entry point).

    `max_episode_steps` is gymnasium's word for the setting `max_steps`.
    """
    if max_episode_steps is not None:
        settings = {"max_steps": max_episode_steps, **settings}
    return VectorView(build_env(name, num_envs, num_threads, settings), render_mode)


def part_box(part: ObsPart, bounds: Bounds) -> spaces.Box:
    """The box of one part of an observation."""
    limits = np.finfo(part.dtype) if part.dtype == "float32" else np.iinfo(part.dtype)
    low, high = bounds.get(part.name, (limits.min, limits.max))
    shape, dtype = part.shape, np.dtype(part.dtype)
    return spaces.Box(
        np.broadcast_to(low, shape).astype(dtype),
        np.broadcast_to(high, shape).astype(dtype),
        dtype=dtype.type,
    )


def observation_space(spec: EnvSpec, bounds: Bounds) -> spaces.Space[Any]:
    """The box of the only part, or a dictionary of boxes."""
    if len(spec.observation) == 1:
        return part_box(spec.observation[0], bounds)
    return spaces.Dict({part.name: part_box(part, bounds) for part in spec.observation})


def action_space(spec: EnvSpec) -> spaces.Space[Any]:
    """The choices or the box of the only head, or a dictionary of them."""
    each = {head.name: head_space(spec, head) for head in spec.heads}
    return next(iter(each.values())) if len(each) == 1 else spaces.Dict(each)


def head_space(spec: EnvSpec, head: HeadSpec) -> spaces.Space[Any]:
    """The space of one head's actions."""
    if head.kind == "units":
        raise UsageError(
            f"env {spec.name}: gymnasium has no space for head {head.name!r} of kind {head.kind}"
        )
    if head.continuous:
        low, high = head_bounds(head)
        return spaces.Box(low, high, dtype=np.float32)
    return spaces.Discrete(head.size)


class _Skin:
    """What both views do: translate actions in, observations and seeds out."""

    def __init__(self, env: VecEnv) -> None:
        if env.spec.seats != 1:
            raise UsageError(
                f"env {env.spec.name} has {env.spec.seats} seats and gymnasium knows only one; "
                f"use lanista_envs.pettingzoo.env({env.spec.name!r})"
            )
        self.env = env
        bounds: Bounds = getattr(env, "observation_bounds", {})
        self.observation_space = observation_space(env.spec, bounds)
        self.action_space = action_space(env.spec)
        self._parts = [part.name for part in env.spec.observation]
        self._heads = env.spec.heads

    def actions(self, action: Any) -> dict[str, AnyArray]:  # noqa: ANN401 - an array, or a dictionary of them
        """``[N]`` choices or ``[N, A]`` real numbers, or a dictionary of them, as the env takes them."""
        given = {self._heads[0].name: action} if len(self._heads) == 1 else action
        return {
            head.name: np.asarray(given[head.name], head.action_dtype).reshape(-1, 1, *head.action_shape)
            for head in self._heads
        }

    def shown(self, parts: dict[str, AnyArray], games: AnyArray | slice | int = slice(None)) -> Any:  # noqa: ANN401
        """Copies of the rows `games`, in the form of the observation space."""
        copies = {name: np.array(parts[name][games, 0]) for name in self._parts}
        return copies[self._parts[0]] if len(self._parts) == 1 else copies

    def legal(self) -> dict[str, AnyArray]:
        """The masks, ``[N, A]`` a head, or nothing while every action is legal."""
        masks = {name: mask[:, 0] for name, mask in self.env.legal.items()}
        if all(mask.all() for mask in masks.values()):
            return {}
        return {
            "action_mask" if len(masks) == 1 else f"action_mask_{name}": mask.copy()
            for name, mask in masks.items()
        }


def refuse_options(options: dict[str, Any] | None) -> None:
    """Native envs have none."""
    if options:
        raise UsageError(
            f"reset was given the options {sorted(options)}; native envs have none, so leave them out"
        )


class VectorView(VectorEnv[Any, Any, Any]):
    """N games of a native env as a gymnasium `VectorEnv`."""

    def __init__(self, env: VecEnv, render_mode: str | None = None) -> None:
        """Show `env`, which must have one seat."""
        self._skin = _Skin(env)
        self.env = env
        self.num_envs = env.num_games
        self.render_mode = render_mode
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP, "render_modes": ["ansi"]}
        self.single_observation_space = self._skin.observation_space
        self.single_action_space = self._skin.action_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start all games; without a seed, from one that the view's own generator draws."""
        if seed is not None and not isinstance(seed, SupportsInt):
            raise UsageError("reset was given a list of seeds; a native env takes one seed for all its games")
        refuse_options(options)
        super().reset(seed=None if seed is None else int(seed))
        self.env.reset(int(self.np_random.integers(2**62)) if seed is None else int(seed))
        return self._skin.shown(self.env.observation), self._with_masks({})

    def step(self, actions: Any) -> tuple[Any, AnyArray, AnyArray, AnyArray, dict[str, Any]]:  # noqa: ANN401
        """Play one step; games that end have restarted, and show their last observation in the infos."""
        env = self.env
        env.step(self._skin.actions(actions))
        rewards = env.facts["reward"][:, 0].astype(np.float64)
        infos: dict[str, Any] = {}
        if env.ended.any():
            ended = np.flatnonzero(env.ended)
            rewards[ended] = env.final_facts["reward"][ended, 0]
            last = np.full(self.num_envs, None, dtype=object)
            for game in ended.tolist():
                last[game] = self._skin.shown(env.final_observation, game)
            infos = {
                "final_obs": last, "_final_obs": env.ended.copy(), "final_info": {}, "_final_info": env.ended.copy(),
            }  # fmt: skip
        terminated, truncated = env.terminated[:, 0].copy(), env.truncated[:, 0].copy()
        return self._skin.shown(env.observation), rewards, terminated, truncated, self._with_masks(infos)

    def _with_masks(self, infos: dict[str, Any]) -> dict[str, Any]:
        for name, mask in self._skin.legal().items():
            infos |= {name: mask, f"_{name}": np.ones(self.num_envs, np.bool_)}
        return infos

    def render(self) -> tuple[str, ...] | None:
        """Every game as text, if the view was made with ``render_mode="ansi"``."""
        if self.render_mode != "ansi":
            return None
        return tuple(self.env.render(game) for game in range(self.num_envs))

    def close_extras(self, **kwargs: Any) -> None:  # noqa: ANN401 - gymnasium's signature
        """Let go of what the env holds."""
        self.env.close()


class SingleView(gymnasium.Env[Any, Any]):
    """One game of a native env as a gymnasium `Env`."""

    metadata = {"render_modes": ["ansi"], "render_fps": 30}  # noqa: RUF012 - gymnasium declares it so

    def __init__(self, env: VecEnv, render_mode: str | None = None) -> None:
        """Show `env`, which must have one seat and be built for one game."""
        if env.num_games != 1:
            raise UsageError(
                f"the single view shows one game, found an env of {env.num_games}; use VectorView"
            )
        self._skin = _Skin(env)
        self.env = env
        self.render_mode = render_mode
        self.observation_space = self._skin.observation_space
        self.action_space = self._skin.action_space
        self._fresh = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode: the env's next one if the last has ended, else from a new seed."""
        refuse_options(options)
        super().reset(seed=seed)
        if seed is not None or not self._fresh:
            self.env.reset(int(self.np_random.integers(2**62)) if seed is None else seed)
        self._fresh = False
        return self._skin.shown(self.env.observation, 0), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:  # noqa: ANN401
        """Play one step. The env has restarted when an episode ends; the view shows the last observation."""
        env = self.env
        env.step(self._skin.actions(action))
        self._fresh = bool(env.ended[0])
        parts, facts = (
            (env.final_observation, env.final_facts) if self._fresh else (env.observation, env.facts)
        )
        terminated, truncated = bool(env.terminated[0, 0]), bool(env.truncated[0, 0])
        info = {} if self._fresh else self._info()
        return self._skin.shown(parts, 0), float(facts["reward"][0, 0]), terminated, truncated, info

    def _info(self) -> dict[str, Any]:
        return {name: mask[0] for name, mask in self._skin.legal().items()}

    def render(self) -> str | None:
        """The game as text, if the view was made with ``render_mode="ansi"``."""
        return self.env.render(0) if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Let go of what the env holds."""
        self.env.close()
