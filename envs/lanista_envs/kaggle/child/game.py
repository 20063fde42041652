"""One game of kaggle-environments: its steps, what each seat sees, its chance, its named agents."""

import importlib.util
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from kaggle_environments.utils import structify


class GameError(Exception):
    """A game could not go on: one sentence."""


class Game:
    """A game slot: one episode after the other, each with draws of its own.

    The games and their agents draw from the global streams of `random` and numpy. Those are set anew before every
    step and every call of an agent, from (seed, game, episode, step, seat), so that a game depends on no other.
    """

    def __init__(self, environment: Any, seats: int, number: int) -> None:  # noqa: ANN401 - kaggle's Environment
        """`number` is the game's index among all games of the env."""
        self.environment = environment
        self.seats = seats
        self.number = number
        self.seed = 0
        self.episode = -1
        self._first = dict(environment.__dict__)
        self._agents: dict[str, Callable[..., Any]] = {}

    def restart(self, seed: int | None = None) -> None:
        """Begin the next episode, or the first one of `seed`."""
        if seed is not None:
            self.seed, self.episode = seed, -1
        self.episode += 1
        self._agents.clear()
        environment = self.environment
        # Interpreters keep things on the environment and take the seed out of its configuration.
        environment.__dict__.clear()
        environment.__dict__.update(self._first)
        environment.configuration = structify(self._first["configuration"])
        environment.info, environment.logs, environment.steps = {}, [], []
        self._draw_anew(0)
        environment.reset(self.seats)

    def _draw_anew(self, who: int) -> None:
        """Set the global streams; `who` is 0 for the rules and 1 + seat for an agent."""
        words = (self.seed, self.number, self.episode, len(self.environment.steps), who)
        random.seed(sum(word << (64 * place) for place, word in enumerate(words)))
        parts = [part for word in words for part in (word & 0xFFFFFFFF, word >> 32)]
        np.random.seed(parts)

    @property
    def over(self) -> bool:
        """Does no seat act any more?"""
        return bool(self.environment.done)

    def status(self, seat: int) -> str:
        """ACTIVE, INACTIVE, DONE, ERROR, INVALID or TIMEOUT."""
        return str(self.environment.state[seat].status)

    def reward(self, seat: int) -> float:
        """The official reward so far; 0 for a seat that the game has disqualified."""
        return float(self.environment.state[seat].reward or 0.0)

    def step(self, actions: list[Any]) -> None:
        """Play one step; `actions` has None for seats that do not act."""
        acted = [seat for seat in range(self.seats) if self.status(seat) == "ACTIVE"]
        self._draw_anew(0)
        try:
            self.environment.step(actions)
        except Exception as error:
            raise GameError(
                f"the rules raised {type(error).__name__}: {error} at the actions {actions}"
            ) from error
        for seat in acted:
            if self.status(seat) in ("INVALID", "ERROR", "TIMEOUT"):
                raise GameError(
                    f"the rules refused the action {actions[seat]!r} of seat {seat} in step "
                    f"{len(self.environment.steps) - 1} (status {self.status(seat)}); let the codec's legal array "
                    f"forbid it, or let act give what the game takes"
                )

    def view(self, seat: int) -> Any:  # noqa: ANN401 - the observation as an agent gets it
        """What the platform shows to a seat: its own fields and the shared ones, without the hidden ones."""
        state = self.environment.state
        fields = self.environment.specification.observation
        return structify(_seen(fields, state[0].observation, state[seat].observation))

    def ask(self, name: str, seat: int) -> Any:  # noqa: ANN401 - an action
        """Let one of the environment's named agents choose for a seat."""
        agent = self._agents.get(name)
        if agent is None:
            agent = self._agents[name] = fresh_agent(self.environment, name)
        self._draw_anew(1 + seat)
        taken = (self.view(seat), self.environment.configuration)
        code = getattr(agent, "__code__", None)
        try:
            return agent(*taken[: code.co_argcount] if code is not None else taken)
        except Exception as error:
            raise GameError(f"its agent {name!r} raised {type(error).__name__}: {error}") from error


def _seen(fields: Any, shared: Any, own: Any) -> Any:  # noqa: ANN401 - nested values of the platform
    seen = dict(own)
    for key, field in fields.items():
        if not isinstance(field, dict):
            continue
        if field.get("hidden"):
            seen.pop(key, None)
        elif field.get("shared"):
            seen[key] = shared[key]
        elif isinstance(field.get("properties"), dict) and key in seen:
            seen[key] = _seen(field["properties"], shared.get(key, seen[key]), seen[key])
    return seen


def fresh_agent(environment: Any, name: str) -> Callable[..., Any]:  # noqa: ANN401 - kaggle's Environment
    """A named agent with globals of its own, as in a fresh process: many keep what they remember there."""
    agents = environment.agents
    if name not in agents:
        known = ", ".join(sorted(agents)) or "none"
        raise GameError(f"the environment has no agent {name!r}; there are: {known}")
    agent: Callable[..., Any] = agents[name]
    module = sys.modules.get(getattr(agent, "__module__", ""))
    file = getattr(module, "__file__", None)
    own = vars(module).get(getattr(agent, "__name__", "")) is agent if module is not None else False
    if module is None or file is None or not own:
        return agent  # no function of a module: there is nothing to load anew
    spec = importlib.util.spec_from_file_location(module.__name__, file)
    if spec is None or spec.loader is None:
        return agent
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    found: Callable[..., Any] = getattr(copy, agent.__name__)
    return found
