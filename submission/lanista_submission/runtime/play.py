"""The agent of a bundle. Portable: numpy, the standard library and its neighbours in the bundle.

A turn: the codec reads the observation, the clock guard picks a network, its greedy action (of equals, the lowest
index; with ``"actions": "sampled"`` in the card one drawn by its probabilities) goes back through the codec as the
JSON value that the platform wants. Without a network the first legal action is played, and of real numbers those in
the middle. A turn never raises: what goes wrong is counted in `Player.faults` and answered with a legal action; with
LANISTA_STRICT=1 in the environment it raises, which is how a bundle is tested.

The codec's `act` gets the choice of the only head (an index, or an array of real numbers), else a dictionary by head.
A head of units chooses for each unit of the turn, ``[U]``; the codec's `settle` then keeps them out of each other's
way. Networks may be made for observations of one shape each, such as boards of several sizes: those that do not fit
what the codec shows sit out. One with tables of symmetries comes twice, as one that averages over them, and then alone.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from .clock import Clock
from .execute import Executor, load
from .operators import PlanError
from .symmetric import Symmetric, with_symmetries
from .unit_choices import choose_units

#: acting units in the pass that a network is timed by while loading
WARM_UNITS = 64


class Player:
    """One seat: its networks, its clock, and the count of what went wrong."""

    def __init__(
        self,
        codec: Any,  # noqa: ANN401
        networks: "Sequence[Executor | Symmetric]",
        settings: dict[str, Any],
        strict: bool,
    ) -> None:
        """`networks` come largest first; `settings` are the card's table ``play``."""
        self.codec = codec
        self.networks = networks
        #: head -> None where it chooses, else the bounds "low" and "high" of its real numbers; of a head of units
        #: {"units": names of the kinds, "exclusive": a list of choices a kind}
        self.heads = settings["heads"]
        self.default_action = settings["default_action"]
        self.act_timeout = settings["act_timeout"]
        #: None plays greedily; an archive that samples starts from the system's own noise, which nobody can foresee.
        #: Python's own generator: numpy's would take longer to import than a turn takes
        self.rng = random.Random() if settings.get("actions") == "sampled" else None
        #: does the codec settle the conflicts of units?
        self.settles = settings.get("settle", True)
        self.strict = strict
        #: turns by the network that played them, "none" without one, "unread" without a look at the observation
        self.turns: Counter[str] = Counter()
        #: turns that met a fault, by its kind
        self.faults: Counter[str] = Counter()
        self.clock = Clock([warm_up(network) for network in networks])
        #: of turns without a network: where reading the observation alone takes too long, the default is played unread
        self.reading = Clock([0.0])
        #: seconds that reading the observation took in this turn, and those of the network
        self._read_s = self._asked_s = 0.0

    def act(self, obs: Any, config: Any) -> Any:  # noqa: ANN401 - the platform's own values
        """Play one turn."""
        started = perf_counter()
        times = self._time(obs, config)
        if self.reading.choose(*times) is None:
            self.turns["unread"] += 1
            return self.default_action
        self._read_s = self._asked_s = 0.0
        place, action = self._turn(times, obs, config)
        self.turns["none" if place is None else str(place)] += 1
        seconds = perf_counter() - started
        self.clock.turn_over(place, seconds, self._read_s)
        self.reading.turn_over(0, seconds - self._asked_s)
        return action

    def _turn(self, times: tuple[float, float], obs: Any, config: Any) -> tuple[int | None, Any]:  # noqa: ANN401
        """(The network that played, the action)."""
        began = perf_counter()
        try:
            observation, legal = self.codec.observe(obs, config)
        except Exception as error:
            self._note("observe", error)
            return None, self.default_action
        self._read_s = perf_counter() - began
        fitting = [place for place, network in enumerate(self.networks) if network.fits(observation)]
        place = self.clock.choose(*times, fitting, self._read_s)
        masks = {head: np.asarray(legal[head]) for head, bounds in self.heads.items() if chooses(bounds)}
        chosen: dict[str, Any] = {head: first(bounds, masks.get(head)) for head, bounds in self.heads.items()}
        if not fitting and self.networks:
            self._note("network", PlanError("no network takes an observation of this shape"))
        if place is not None:
            asked = perf_counter()
            try:
                chosen = self._asked(place, observation, masks, obs, config)
            except Exception as error:
                self._note("network", error)
            self._asked_s = perf_counter() - asked
        try:
            action = next(iter(chosen.values())) if len(chosen) == 1 else chosen
            return place, self.codec.act(action, obs, config)
        except Exception as error:
            self._note("act", error)
            return place, self.default_action

    def _asked(
        self,
        place: int,
        observation: dict[str, Any],
        masks: "dict[str, np.ndarray[Any, Any]]",
        obs: Any,  # noqa: ANN401 - the platform's own values
        config: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        """What a network chooses, with the conflicts of its units settled."""
        units = next((head for head, bounds in self.heads.items() if is_of_units(bounds)), None)
        if units is not None and len(masks[units]) == 0 and len(self.heads) == 1:
            return {units: np.zeros(0, np.int64)}
        scores: dict[str, Any] = {}
        chosen = choose(self.networks[place], observation, self.heads, masks, self.rng, scores)
        if units is not None and self.settles:
            chosen[units] = self.codec.settle(scores[units], chosen[units], obs, config)
        return chosen

    def _time(self, obs: Any, config: Any) -> tuple[float, float]:  # noqa: ANN401
        """(seconds a turn, overage left in seconds); the target's own figure and no overage if not told."""
        seconds, overage = number_in(config, "actTimeout"), number_in(obs, "remainingOverageTime")
        if seconds is None or overage is None:
            self.faults["time"] += 1
        return self.act_timeout if seconds is None else seconds, 0.0 if overage is None else overage

    def _note(self, kind: str, error: Exception) -> None:
        """Count a fault, and let it out if strict."""
        self.faults[kind] += 1
        if self.strict:
            raise error


def number_in(told: Any, name: str) -> float | None:  # noqa: ANN401 - the platform's own values
    """A number that the platform tells; None for anything that is none."""
    try:
        number = float(told[name])
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    return number if isfinite(number) else None


def choose(
    network: Executor | Symmetric,
    observation: dict[str, Any],
    heads: dict[str, Any],
    masks: "dict[str, np.ndarray[Any, Any]]",
    rng: random.Random | None,
    scores: "dict[str, np.ndarray[Any, Any]] | None" = None,
) -> dict[str, Any]:
    """Each head's most probable legal action, or one drawn by `rng`; the first one if the numbers make no sense.

    The logits of a head of units are written into `scores`.
    """
    given = {**observation, **{f"legal_{head}": mask for head, mask in masks.items()}}
    inputs = {
        name: np.asarray(given[name]) if name in network.unit_inputs else np.asarray(given[name])[None]
        for name in network.shapes
    }
    outputs = network.run(inputs)
    chosen: dict[str, Any] = {}
    for head, bounds in heads.items():
        if is_of_units(bounds):
            logits, cell, kind = outputs[f"logits_{head}"], observation["unit_cell"], observation["unit_kind"]
            chosen[head] = choose_units(logits, masks[head], cell, kind, bounds["exclusive"], rng)
            if scores is not None:
                scores[head] = logits
            continue
        if bounds is not None:
            numbers = outputs[f"action_{head}"][0] if rng is None else draw(outputs, head, bounds, rng)
            inside = np.clip(numbers.astype(np.float64), bounds["low"], bounds["high"])
            chosen[head] = inside if np.isfinite(inside).all() else middle(bounds)
            continue
        logits, mask = outputs[f"logits_{head}"][0], masks[head]
        index = int(logits.argmax()) if rng is None else sample(logits, mask, rng)
        chosen[head] = index if mask[index] else int(mask.argmax())
    return chosen


def is_of_units(bounds: Any) -> bool:  # noqa: ANN401 - an entry of the card
    """Is this head asked for every unit?"""
    return bounds is not None and "units" in bounds


def chooses(bounds: Any) -> bool:  # noqa: ANN401 - an entry of the card
    """Has this head a mask?"""
    return bounds is None or is_of_units(bounds)


def first(bounds: Any, mask: "np.ndarray[Any, Any] | None") -> Any:  # noqa: ANN401
    """What is played without a network: the first legal choice, or the middle of real numbers."""
    if mask is None:
        return middle(bounds)
    return mask.argmax(axis=1) if is_of_units(bounds) else int(mask.argmax())


def outputs_read(heads: dict[str, Any], sampled: bool) -> list[str]:
    """The outputs that play reads, greedy or `sampled`; `heads` as `Player` has them. The value is never among them."""
    numbers = ("mean", "std") if sampled else ("action",)
    return [
        f"{name}_{head}"
        for head, bounds in heads.items()
        for name in (("logits",) if chooses(bounds) else numbers)
    ]


def draw(
    outputs: "dict[str, np.ndarray[Any, Any]]",
    head: str,
    bounds: "dict[str, list[float]]",
    rng: random.Random,
) -> "np.ndarray[Any, Any]":
    """Real numbers by the distribution that the graph lets out: a normal one, led to the bounds by tanh."""
    low, high = np.array(bounds["low"]), np.array(bounds["high"])
    mean, std = outputs[f"mean_{head}"][0], outputs[f"std_{head}"][0]
    noise = np.array([rng.gauss(0.0, 1.0) for _ in range(mean.size)]).reshape(mean.shape)
    place = np.tanh(mean + std * noise)
    return np.asarray((high + low) / 2.0 + (high - low) / 2.0 * place)


def middle(bounds: "dict[str, list[float]]") -> "np.ndarray[Any, Any]":
    """The real numbers in the middle of their bounds."""
    ends = np.array([bounds["low"], bounds["high"]])
    return np.asarray(ends.mean(axis=0))


def sample(logits: "np.ndarray[Any, Any]", mask: "np.ndarray[Any, Any]", rng: random.Random) -> int:
    """Draw an action by the softmax of the legal logits, in float64."""
    scores = np.where(mask, logits.astype(np.float64), -np.inf)
    rising = np.exp(scores - scores.max()).cumsum()
    # The draw lies below the sum, so an action of probability 0 is never met; NaN falls through to index 0.
    return min(int(np.searchsorted(rising, rng.random() * rising[-1], side="right")), len(rising) - 1)


def warm_up(network: Executor | Symmetric) -> float:
    """Allocate for one row and give the seconds that a pass then takes."""
    inputs = {
        # Zeros for units: they are numbers of rows and kinds, and all of them are there.
        name: np.zeros((WARM_UNITS, *shape), np.bool_)
        if name in network.unit_inputs
        else np.ones((1, *shape), np.bool_)
        for name, shape in network.shapes.items()
    }
    network.run(inputs)
    started = perf_counter()
    network.run(inputs)
    return perf_counter() - started


def build_agent(codec: Any) -> Callable[[Any, Any], Any]:  # noqa: ANN401 - a Codec of the bundle's own copy
    """The agent of the bundle that this module lies in; every call gives one with a clock of its own."""
    folder = Path(__file__).parent
    card = json.loads((folder / "card.json").read_text())
    played = card["play"]
    wanted = outputs_read(played["heads"], played.get("actions") == "sampled")
    networks: list[Executor | Symmetric] = []
    for entry in card["networks"]:
        network = load(folder / entry["plan"], folder / entry["weights"], wanted)
        if "symmetries" in entry:
            networks.append(with_symmetries(network, folder / entry["symmetries"]))
        networks.append(network)
    prepare = getattr(codec, "prepare", None)
    if prepare is not None:
        prepare({name for network in networks for name in network.shapes})
    player = Player(codec, networks, played, os.environ.get("LANISTA_STRICT", "") == "1")

    def agent(obs: Any, config: Any = None) -> Any:  # noqa: ANN401
        return player.act(obs, {} if config is None else config)

    agent.player = player  # type: ignore[attr-defined]  # for those who test the bundle
    return agent
