"""Games of PettingZoo as a `VecEnv`: any number of seats, in turn or at once.

A seat that leaves its game early is terminated (or truncated) in that step, acts no more and sees zeros from then on.
An action that the mask forbids goes to the game as it is, which says what comes of it.
"""

import importlib
import inspect
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pettingzoo
from gymnasium import spaces

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.errors import EnvContractError, LanistaError, UsageError
from lanista.hints import told
from lanista.seeds import derive_seed
from lanista.spec import EnvSpec, FactSpec
from lanista_envs.blocks import refuse_num_games
from lanista_envs.inward.pettingzoo_games import AecGame, Game, ParallelGame, Stepped, mask_of
from lanista_envs.inward.settings import PettingZooSettings
from lanista_envs.inward.spaces import Actions, Leaf, UnsupportedSpaceError, actions_of, leaves_of


class PettingZooEnv(VecEnv):
    """N games of one module."""

    resumable = False

    def __init__(self, num_games: int, settings: PettingZooSettings, num_threads: int = 1) -> None:
        """Make the games; raises `LanistaError` in one sentence for a module that cannot be played."""
        del num_threads  # the games are played one after the other
        name = f"pettingzoo:{settings.module}"
        refuse_num_games(name, num_games)
        self.num_games = num_games
        make, api = find_maker(settings, f"env {name}")
        self._envs = [_made(make, settings, f"env {name}") for _ in range(num_games)]
        self._close = weakref.finalize(self, _close_all, self._envs)
        form: Callable[[Any], Game] = ParallelGame if api == "parallel" else AecGame
        self._games = [form(env) for env in self._envs]
        self._agents = self._games[0].agents
        self._leaves, self._actions = spaces_of(self._envs[0], self._agents, f"env {name}")
        widest = float(np.finfo(np.float32).max)
        self.spec = EnvSpec(
            name=name,
            version="1",
            source=f"pettingzoo {pettingzoo.__version__}, {settings.module}",
            seats=len(self._agents),
            turns="simultaneous" if api == "parallel" else "alternating",
            observation=tuple(leaf.part for leaf in self._leaves),
            heads=self._actions.heads,
            facts=(FactSpec("reward", "flow", "points", "the game's own reward"),),
            max_steps=settings.max_steps,
            reward_range=(-widest, widest),
            outcome="score",
        )
        self._allocate()
        self._seed = 0
        self._episode = np.zeros(num_games, np.int64)
        self._steps = np.zeros(num_games, np.int64)
        self._score = np.zeros((num_games, self.spec.seats))
        #: ``[N, S]`` how each seat left its game so far
        self._left_terminated = np.zeros((num_games, self.spec.seats), np.bool_)
        self._left_truncated = np.zeros((num_games, self.spec.seats), np.bool_)

    def _allocate(self) -> None:
        cells = (self.num_games, self.spec.seats)
        self.observation = {
            part.name: np.zeros((*cells, *part.shape), part.dtype) for part in self.spec.observation
        }
        self.final_observation = {name: np.zeros_like(array) for name, array in self.observation.items()}
        self.legal = {
            head.name: np.ones((*cells, head.size), np.bool_)
            for head in self.spec.heads
            if not head.continuous
        }
        self.acting, self.ended = np.zeros(cells, np.bool_), np.zeros(self.num_games, np.bool_)
        self.terminated, self.truncated = np.zeros(cells, np.bool_), np.zeros(cells, np.bool_)
        self.outcome = np.zeros(cells, np.float32)
        self.facts = {"reward": np.zeros(cells, np.float32)}
        self.final_facts = {"reward": np.zeros(cells, np.float32)}

    def reset(self, seed: int) -> None:
        """Begin all games with the seeds of their first episodes."""
        self._seed = seed
        self._episode[:] = 0
        self._clear()
        for place in range(self.num_games):
            self._begin(place)

    def _clear(self) -> None:
        """Forget the last step."""
        told: tuple[AnyArray, ...]
        told = (self.terminated, self.truncated, self.ended, self.outcome, self.facts["reward"])
        for array in told:
            array[...] = 0

    def _begin(self, place: int) -> None:
        """Begin the next episode of a game."""
        kept: tuple[AnyArray, ...] = (self._score, self._left_terminated, self._left_truncated, self._steps)
        for array in kept:
            array[place] = 0
        for array in self.observation.values():
            array[place] = 0
        seed = derive_seed(self._seed, "pettingzoo", place, int(self._episode[place])) % 2**31
        self._games[place].begin(seed)
        self._show(place)

    def _show(self, place: int) -> None:
        """Write what the agents of a game see now, and who must act."""
        game = self._games[place]
        acting, live = set(game.acting), set(game.live)
        for seat, agent in enumerate(self._agents):
            self.acting[place, seat] = agent in acting
            if agent not in live:
                for array in self.observation.values():
                    array[place, seat] = 0
                continue
            seen = game.look(agent)
            self._write(self.observation, place, seat, seen)
            if len(self.legal) == 1 == len(self.spec.heads):
                self._write_mask(place, seat, mask_of(game, agent, seen))

    def _write(self, arrays: dict[str, AnyArray], place: int, seat: int, seen: Any) -> None:  # noqa: ANN401
        for leaf in self._leaves:
            arrays[leaf.part.name][place, seat] = leaf.find(seen)

    def _write_mask(self, place: int, seat: int, mask: AnyArray | None) -> None:
        ((name, legal),) = self.legal.items()
        if mask is None:
            legal[place, seat] = True
            return
        if mask.shape != legal.shape[2:]:
            raise EnvContractError(
                f"env {self.spec.name}: the action_mask of {self._agents[seat]} has the shape {mask.shape}, and there "
                f"are {legal.shape[2]} actions"
            )
        if self.acting[place, seat] and not mask.any():
            raise EnvContractError(
                f"env {self.spec.name}: {self._agents[seat]} of game {place} must act and its action_mask allows "
                f"no {name}; the game is at fault"
            )
        legal[place, seat] = mask

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Play one step of every game; games that are over begin anew."""
        for head in self.spec.heads:
            if not head.continuous:
                self._refuse(head.name, actions[head.name], head.size)
        chosen = self._actions.join(
            {name: action.reshape(-1, *action.shape[2:]) for name, action in actions.items()}
        )
        chosen = chosen.reshape(self.num_games, self.spec.seats, *chosen.shape[1:])
        acting = self.acting.copy()
        self._clear()
        for place in range(self.num_games):
            self._play(place, {int(seat): chosen[place, seat] for seat in np.flatnonzero(acting[place])})

    def _play(self, place: int, chosen: dict[int, Any]) -> None:
        game = self._games[place]
        stepped = game.step({self._agents[seat]: action for seat, action in chosen.items()})
        self._steps[place] += 1
        reward = np.array([stepped.rewards.get(agent, 0.0) for agent in self._agents])
        self._score[place] += reward
        if not tuple(game.live) or self._all_left(place, stepped):
            self._end(place, stepped, reward, cut_off=False)
        elif self._steps[place] >= self.spec.max_steps:
            self._end(place, stepped, reward, cut_off=True)
        else:
            self.facts["reward"][place] = reward
            self._note_left(place, stepped)
            self._show(place)

    def _all_left(self, place: int, stepped: Stepped) -> bool:
        """Has every agent that is still in the game left it in this step?"""
        return set(self._games[place].live) <= stepped.terminated | stepped.truncated

    def _note_left(self, place: int, stepped: Stepped) -> None:
        """Take down who left the game in this step."""
        for seat, agent in enumerate(self._agents):
            if agent in stepped.terminated:
                self.terminated[place, seat] = self._left_terminated[place, seat] = True
            elif agent in stepped.truncated:
                self.truncated[place, seat] = self._left_truncated[place, seat] = True

    def _end(self, place: int, stepped: Stepped, reward: AnyArray, cut_off: bool) -> None:
        """Write how a game ended, and begin the next."""
        self._note_left(place, stepped)
        live = set(self._games[place].live) - stepped.terminated - stepped.truncated
        for seat, agent in enumerate(self._agents):
            if agent in stepped.last:
                self._write(self.final_observation, place, seat, stepped.last[agent])
            elif agent in live:
                self._write(self.final_observation, place, seat, self._games[place].look(agent))
            else:
                for array in self.final_observation.values():
                    array[place, seat] = 0
            cut = cut_off and agent in live
            self.truncated[place, seat] = cut or self._left_truncated[place, seat]
            self.terminated[place, seat] = not self.truncated[place, seat]
        self.ended[place] = True
        self.final_facts["reward"][place] = reward
        self.outcome[place] = self._score[place]
        self._episode[place] += 1
        self._begin(place)

    def _refuse(self, head: str, action: AnyArray, size: int) -> None:
        wrong = self.acting & ((action < 0) | (action >= size))
        if wrong.any():
            game, seat = (int(place[0]) for place in wrong.nonzero())
            raise UsageError(
                f"env {self.spec.name}: action {head} of seat {seat} of game {game} is {action[game, seat]}; "
                f"give a number from 0 to {size - 1}"
            )

    def render(self, game: int) -> str:
        """The game's own drawing as text if it has one, else what each seat sees in numbers."""
        if getattr(self._envs[game], "render_mode", None) == "ansi":
            return str(self._envs[game].render())
        rows = [
            f"{agent} {name}: {np.array2string(array[game, seat])}"
            for seat, agent in enumerate(self._agents)
            for name, array in self.observation.items()
        ]
        return "\n".join(rows)

    def close(self) -> None:
        """Close the games."""
        self._close()


def _close_all(envs: list[Any]) -> None:
    for env in envs:
        env.close()
    envs.clear()


def find_maker(settings: PettingZooSettings, where: str) -> tuple[Callable[..., Any], str]:
    """The function that makes a game of the module, and the form that it makes: "aec" or "parallel"."""
    module = _module(settings.module, where)
    makers = {"parallel": "parallel_env", "aec": "env"}
    wanted = ("parallel", "aec") if settings.api == "auto" else (settings.api,)
    for api in wanted:
        maker = getattr(module, makers[api], None)
        if callable(maker):
            return maker, api
    raise UsageError(
        f"{where}: the module {module.__name__} has no {' and no '.join(makers[api] for api in wanted)}; name a module "
        f"of PettingZoo's form, such as pettingzoo:classic.tictactoe_v3"
    )


def _module(named: str, where: str) -> Any:  # noqa: ANN401 - a module
    """Import a module by its whole name, or by what stands behind "pettingzoo."."""
    names = [named] if named.startswith("pettingzoo.") else [f"pettingzoo.{named}", named]
    for name in names:
        try:
            with warnings.catch_warnings():
                # 1.27 wants its `make`, which 1.25 has not; modules are the form that both know.
                warnings.filterwarnings("ignore", "The old environment creation API", DeprecationWarning)
                return importlib.import_module(name)
        except ImportError as error:
            missing = getattr(error, "name", None) or ""
            if missing and not name.startswith(missing):
                raise LanistaError(
                    f"{where}: {name} needs {missing}, which is not installed ({told(error)}); "
                    f"pip install 'lanista[classic]' brings what the classic games need"
                ) from error
    raise UsageError(
        f"{where}: there is no module {' and no module '.join(names)}; name one that is installed, such as "
        f"pettingzoo:classic.tictactoe_v3"
    )


def _made(make: Callable[..., Any], settings: PettingZooSettings, where: str) -> Any:  # noqa: ANN401 - an env
    try:
        env = make(**settings.kwargs)
        modes = getattr(env, "metadata", {}).get("render_modes", ())
        takes = inspect.signature(make).parameters.values()
        named = any(part.name == "render_mode" or part.kind is part.VAR_KEYWORD for part in takes)
        if "ansi" in modes and named and "render_mode" not in settings.kwargs:
            env.close()
            env = make(render_mode="ansi", **settings.kwargs)
    except (KeyboardInterrupt, LanistaError):
        raise
    except Exception as error:  # whatever a stranger's constructor raises
        raise LanistaError(f"{where} cannot be made: {told(error)}") from error
    return env


def spaces_of(env: Any, agents: tuple[str, ...], where: str) -> tuple[list[Leaf], Actions]:  # noqa: ANN401
    """The parts and heads that all agents share; agents that differ are an error."""
    seen = [_without_mask(env.observation_space(agent)) for agent in agents]
    acts = [env.action_space(agent) for agent in agents]
    for kind, found in (("observations", seen), ("actions", acts)):
        odd = next((place for place, space in enumerate(found) if space != found[0]), None)
        if odd is not None:
            raise UnsupportedSpaceError(
                f"{where}: the {kind} of {agents[0]} ({found[0]}) and {agents[odd]} ({found[odd]}) differ, and one "
                f"policy plays every seat; pad them alike, for example with supersuit"
            )
    return leaves_of(seen[0], where), actions_of(acts[0], where)


def _without_mask(space: spaces.Space[Any]) -> spaces.Space[Any]:
    """An observation space without the mask that PettingZoo's games put into it."""
    if not isinstance(space, spaces.Dict) or "action_mask" not in space.spaces:
        return space
    return spaces.Dict({key: inner for key, inner in space.spaces.items() if key != "action_mask"})
