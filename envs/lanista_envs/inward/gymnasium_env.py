"""Envs of gymnasium as a `VecEnv` of one seat, vectorised by gymnasium itself.

gymnasium's automatic resets are switched off: an env that ended is reset here, in the same step, with the seed of its
(seed, game, episode), so that its last observation is seen and game i never depends on N.
"""

import re
import weakref
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from lanista.arrays import AnyArray, BoolArray
from lanista.env import VecEnv
from lanista.errors import EnvContractError, UsageError
from lanista.seeds import derive_seed
from lanista.spec import EnvSpec, FactSpec, HeadSpec
from lanista_envs.blocks import refuse_num_games
from lanista_envs.inward.making import Maker, loading
from lanista_envs.inward.settings import GymnasiumSettings
from lanista_envs.inward.spaces import actions_of, leaves_of


class GymnasiumEnv(VecEnv):
    """N envs of one id. What an env says in ``info["action_mask"]`` is the mask of its only head."""

    resumable = False

    def __init__(self, num_games: int, settings: GymnasiumSettings, first_game: int = 0) -> None:
        """Make the envs in this process; raises `LanistaError` in one sentence for one that cannot be had.

        The games are those from `first_game` on, as their seeds go.
        """
        name = f"gymnasium:{settings.id}"
        refuse_num_games(name, num_games)
        self.num_games = n = num_games
        self._first_game = first_game
        maker = Maker(name, settings)
        self._envs = SyncVectorEnv([maker] * n, autoreset_mode=AutoresetMode.DISABLED)
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
        told: tuple[AnyArray, ...]
        told = (self.terminated, self.truncated, self.ended, self.outcome, self.facts["reward"])
        for array in told:
            array[...] = 0
        with loading():  # some envs load what they need only now
            self._begin(np.ones(self.num_games, np.bool_))

    def _begin(self, games: BoolArray) -> None:
        """Begin the next episode of some envs and show all."""
        seeds = [
            derive_seed(self._seed, "gymnasium", self._first_game + game, int(self._episode[game])) % 2**31
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
                refuse_choices(self.spec.name, head, actions[head.name][:, 0])
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

    def render(self, game: int) -> str:
        """The env's own drawing as text, or else its numbers."""
        if self._envs.render_mode == "ansi":
            drawn = self._envs.call("render")[game]
            text = drawn if isinstance(drawn, str) else "".join(drawn or ())
            # Text envs mark a place by its background colour; a page has none.
            return re.sub(r"\x1b\[[0-9;]*m", "", re.sub(r"\x1b\[4\dm(.*?)\x1b\[0m", r"[\1]", text))
        rows = [f"{name}: {np.array2string(array[game, 0])}" for name, array in self.observation.items()]
        return "\n".join(rows)

    def picture(self, game: int) -> AnyArray | None:
        """The env's own picture, ``[H, W, 3]`` uint8, with ``kwargs = { render_mode = "rgb_array" }``; else None."""
        if self._envs.render_mode != "rgb_array":
            return None
        return np.asarray(self._envs.envs[game].render(), np.uint8)

    def close(self) -> None:
        """Close the envs."""
        self._close()


def refuse_choices(env: str, head: HeadSpec, action: AnyArray) -> None:
    """Raise for the first of the choices ``[N]`` that is none of the head's."""
    wrong = (action < 0) | (action >= head.size)
    if wrong.any():
        game = int(np.flatnonzero(wrong)[0])
        raise UsageError(
            f"env {env}: action {head.name} of game {game} is {action[game]}; give a number from 0 to {head.size - 1}"
        )
