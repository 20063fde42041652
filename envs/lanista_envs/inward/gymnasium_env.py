"""Envs of gymnasium as a `VecEnv` of one seat, vectorised by gymnasium itself.

gymnasium's automatic resets are switched off: an env that ended is reset here, in the same step, with the seed of its
(seed, game, episode), so that its last observation is seen and game i never depends on N.
"""

import importlib
import re
import weakref
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

from lanista.arrays import AnyArray, BoolArray
from lanista.env import VecEnv
from lanista.errors import EnvContractError, LanistaError, UsageError
from lanista.hints import told
from lanista.seeds import derive_seed
from lanista.spec import EnvSpec, FactSpec
from lanista_envs.blocks import refuse_num_games
from lanista_envs.inward.settings import GymnasiumSettings, WrapperSettings
from lanista_envs.inward.spaces import actions_of, leaves_of

#: steps after which an env that is registered without a limit is cut off
NO_LIMIT = 1_000_000
#: extras of lanista that bring what an env's own package lacks
_EXTRAS = {"box2d": "box2d", "mujoco": "mujoco", "pygame": "classic"}


class GymnasiumEnv(VecEnv):
    """N envs of one id. What an env says in ``info["action_mask"]`` is the mask of its only head."""

    resumable = False

    def __init__(self, num_games: int, settings: GymnasiumSettings, num_threads: int = 1) -> None:
        """Make the envs; raises `LanistaError` in one sentence for one that cannot be had."""
        del num_threads  # "async" gives each env a process
        name = f"gymnasium:{settings.id}"
        refuse_num_games(name, num_games)
        self.num_games = n = num_games
        maker = Maker(name, settings)
        self._envs = vectorise(maker, n, settings.vectorization)
        self._close = weakref.finalize(self, self._envs.close)
        where = f"env {name}"
        self._leaves = leaves_of(self._envs.single_observation_space, where)
        self._actions = actions_of(self._envs.single_action_space, where)
        self.spec = EnvSpec(
            name=name,
            version="1",
            source=f"gymnasium {gymnasium.__version__}, {settings.id}",
            seats=1,
            turns="simultaneous",
            observation=tuple(leaf.part for leaf in self._leaves),
            heads=self._actions.heads,
            facts=(FactSpec("reward", "flow", "points", "the env's own reward"),),
            max_steps=maker.max_steps,
            reward_range=(-float(np.finfo(np.float32).max), float(np.finfo(np.float32).max)),
            outcome="score",
        )
        self._allocate()
        self._seed = 0
        self._episode = np.zeros(n, np.int64)
        self._score = np.zeros(n)

    def _allocate(self) -> None:
        n, parts = self.num_games, self.spec.observation
        self.observation = {part.name: np.zeros((n, 1, *part.shape), part.dtype) for part in parts}
        self.final_observation = {name: np.zeros_like(array) for name, array in self.observation.items()}
        self.legal = {
            head.name: np.ones((n, 1, head.size), np.bool_) for head in self.spec.heads if not head.continuous
        }
        self.acting = np.ones((n, 1), np.bool_)
        self.terminated, self.truncated = np.zeros((n, 1), np.bool_), np.zeros((n, 1), np.bool_)
        self.ended = np.zeros(n, np.bool_)
        self.outcome = np.zeros((n, 1), np.float32)
        self.facts = {"reward": np.zeros((n, 1), np.float32)}
        self.final_facts = {"reward": np.zeros((n, 1), np.float32)}

    def reset(self, seed: int) -> None:
        """Reset every env with the seed of its first episode."""
        self._seed = seed
        self._episode[:] = 0
        self._score[:] = 0.0
        for array in (self.terminated, self.truncated, self.ended, self.outcome, self.facts["reward"]):
            array[...] = 0
        self._begin(np.ones(self.num_games, np.bool_))

    def _begin(self, games: BoolArray) -> None:
        """Begin the next episode of some envs and show all."""
        seeds = [
            derive_seed(self._seed, "gymnasium", game, int(self._episode[game])) % 2**31
            if games[game]
            else None
            for game in range(self.num_games)
        ]
        options: dict[str, Any] | None = None if games.all() else {"reset_mask": games.copy()}
        observation, info = self._envs.reset(seed=seeds, options=options)
        self._show(observation, self.observation)
        self._take_masks(info, games)

    def _show(self, observation: Any, arrays: dict[str, AnyArray]) -> None:  # noqa: ANN401 - gymnasium's tree
        for leaf in self._leaves:
            arrays[leaf.part.name][:, 0] = leaf.find(observation)

    def _take_masks(self, info: dict[str, Any], games: BoolArray) -> None:
        """Write the masks that came in `info`; an env that gives none allows everything."""
        masks = info.get("action_mask")
        if len(self.legal) != 1 or len(self.spec.heads) != 1:
            return
        (legal,) = self.legal.values()
        if masks is None:
            legal[games] = True
            return
        given = np.asarray(info.get("_action_mask", np.ones(self.num_games, np.bool_))) & games
        legal[games & ~given] = True
        for game in np.flatnonzero(given):
            mask = np.asarray(masks[game])
            if mask.shape != legal.shape[2:]:
                raise EnvContractError(
                    f'env {self.spec.name}: info["action_mask"] has the shape {mask.shape}, and there are '
                    f"{legal.shape[2]} actions"
                )
            legal[game, 0] = mask != 0

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Step every env once; those that ended are reset."""
        for head in self.spec.heads:
            if not head.continuous:
                self._refuse(head.name, actions[head.name][:, 0], head.size)
        chosen = self._actions.join({name: action[:, 0] for name, action in actions.items()})
        observation, reward, terminated, truncated, info = self._envs.step(chosen)
        self._score += reward
        self.terminated[:, 0] = terminated
        self.truncated[:, 0] = truncated & ~terminated  # an end by the rules at the limit is no truncation
        self.ended[:] = terminated | truncated
        self.facts["reward"][:, 0] = np.where(self.ended, 0.0, reward)
        self.outcome[:, 0] = np.where(self.ended, self._score, 0.0)
        if not self.ended.any():
            self._show(observation, self.observation)
            self._take_masks(info, ~self.ended)
            return
        self._show(observation, self.final_observation)
        self.final_facts["reward"][:, 0] = reward
        self._score[self.ended] = 0.0
        self._episode[self.ended] += 1
        self._take_masks(info, ~self.ended)
        self._begin(self.ended)

    def _refuse(self, head: str, action: AnyArray, size: int) -> None:
        wrong = (action < 0) | (action >= size)
        if wrong.any():
            game = int(np.flatnonzero(wrong)[0])
            raise UsageError(
                f"env {self.spec.name}: action {head} of game {game} is {action[game]}; give a number from 0 to {size - 1}"
            )

    def render(self, game: int) -> str:
        """The env's own drawing as text, or else its numbers."""
        if self._envs.render_mode == "ansi":
            drawn = self._envs.call("render")[game]
            text = drawn if isinstance(drawn, str) else "".join(drawn or ())
            # Text envs mark a place by its background colour; a page has none.
            return re.sub(r"\x1b\[[0-9;]*m", "", re.sub(r"\x1b\[4\dm(.*?)\x1b\[0m", r"[\1]", text))
        rows = [f"{name}: {np.array2string(array[game, 0])}" for name, array in self.observation.items()]
        return "\n".join(rows)

    def close(self) -> None:
        """Close the envs."""
        self._close()


class Maker:
    """Makes one env of an id, with its wrappers; processes of their own get it pickled."""

    def __init__(self, name: str, settings: GymnasiumSettings) -> None:
        """Look the id up; `name` opens every error."""
        self.name, self.settings = name, settings
        registered = self._spec()
        self.max_steps = settings.max_steps or registered.max_episode_steps or NO_LIMIT
        self.render_mode: str | None = None
        entry = registered.entry_point
        if "ansi" in _render_modes(entry) and "render_mode" not in settings.kwargs:
            self.render_mode = "ansi"

    def _spec(self) -> Any:  # noqa: ANN401 - gymnasium's EnvSpec
        module, _, name = self.settings.id.rpartition(":")
        try:
            if module:
                importlib.import_module(module)
            return gymnasium.spec(name)
        except (ImportError, gymnasium.error.Error) as error:
            raise UsageError(
                f"env {self.name}: gymnasium does not know {self.settings.id!r} ({told(error)}); write the id as "
                f"gymnasium.make takes it, with the module that registers it before a colon if need be"
            ) from error

    def __call__(self) -> gymnasium.Env[Any, Any]:
        """Make one env."""
        kwargs = dict(self.settings.kwargs)
        if self.render_mode is not None:
            kwargs["render_mode"] = self.render_mode
        try:
            env = gymnasium.make(
                self.settings.id, max_episode_steps=self.max_steps, disable_env_checker=True, **kwargs
            )
            for wrapper in self.settings.wrappers:
                env = _wrapped(env, wrapper)
        except (KeyboardInterrupt, LanistaError):
            raise
        except Exception as error:  # whatever a stranger's constructor raises
            raise LanistaError(f"env {self.name} cannot be made: {told(error)}{_advice(error)}") from error
        return env


def _render_modes(entry: Any) -> tuple[str, ...]:  # noqa: ANN401 - "module:Class", or what makes an env
    """The ways that an env class can draw itself; none if it cannot be imported, which `make` will explain."""
    found = entry
    if isinstance(entry, str):
        module, _, attribute = entry.partition(":")
        try:
            found = getattr(importlib.import_module(module), attribute)
        except Exception:
            return ()
    return tuple(getattr(found, "metadata", {}).get("render_modes", ()))


def _wrapped(env: gymnasium.Env[Any, Any], wrapper: WrapperSettings) -> gymnasium.Env[Any, Any]:
    module, _, name = wrapper.use.partition(":")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"wrapper {wrapper.use} cannot be imported: {told(error)}") from error
    wrapped: gymnasium.Env[Any, Any] = kind(env, **wrapper.kwargs)
    return wrapped


def _advice(error: Exception) -> str:
    """What to install, if something is missing."""
    if not isinstance(error, gymnasium.error.DependencyNotInstalled | ImportError):
        return ""
    text = str(error).lower()
    extra = next((extra for word, extra in _EXTRAS.items() if word in text), None)
    return f"; pip install 'lanista[{extra}]'" if extra is not None else ""


def vectorise(
    maker: Callable[[], gymnasium.Env[Any, Any]], num_games: int, how: str
) -> SyncVectorEnv | AsyncVectorEnv:
    """`num_games` envs in gymnasium's own vector env, none of which is reset by itself."""
    makers = [maker] * num_games
    if how == "sync":
        return SyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED)
    maker().close()  # what cannot be made is said here, in one sentence
    return AsyncVectorEnv(makers, autoreset_mode=AutoresetMode.DISABLED, context="spawn")
