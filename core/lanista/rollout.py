"""Collecting experience: T steps of N games, the learning policy and its opponents acting by seat.

One rollout:

1. before each step the observation, the masks and the facts are copied into preallocated ``[T, ...]`` arrays;
2. the learning policy acts on its rows in one forward pass, each opponent in play on its own rows in one;
3. the env steps; ends, outcomes and last facts are noted as arrays;
4. after the last step the shapers turn facts into reward, truncated seats and the open ends get values.

No hook is called and no Python loop runs over games inside the step loop.
"""

from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
import torch

from lanista.actions import blank_actions, units_of_rows
from lanista.arrays import AnyArray, BoolArray, FloatArray, IntArray
from lanista.env import VecEnv
from lanista.episodes import Ended, Episodes
from lanista.games.keeper import GameKeeper
from lanista.learning import Rollout
from lanista.named_arrays import prefixed, under
from lanista.openings import Openings
from lanista.opponents import Opponents
from lanista.policy import Policy
from lanista.rollout_faults import RolloutFaults, check_part, misplayed
from lanista.shaping import Passage, Shaper, facts_read
from lanista.spec import UNITS
from lanista.symmetry.augmentation import Augmentation
from lanista.unit_buffer import UnitBuffer
from lanista.units import live_units, no_units, seen


@dataclass
class Timing:
    """Seconds spent by part since the phase began in this process."""

    env: float = 0.0
    infer: float = 0.0
    learn: float = 0.0
    copy: float = 0.0

    def shares(self) -> dict[str, float]:
        """Each part's share of the time so far, as metrics."""
        parts = {"env": self.env, "infer": self.infer, "learn": self.learn, "copy": self.copy}
        total = sum(parts.values()) or 1.0
        return {f"time/{name}": seconds / total for name, seconds in parts.items()}


@dataclass
class Collector:
    """Plays an env with a learning policy; holds everything that goes on from one rollout to the next."""

    env: VecEnv
    policy: Policy
    num_steps: int
    shapers: list[Shaper]
    gamma: float
    generator: torch.Generator
    #: None where the learning policy plays every seat
    opponents: Opponents | None = None
    #: None where games begin without random steps
    openings: Openings | None = None
    #: None where no finished games are kept
    keeper: GameKeeper | None = None
    #: None where the learning policy sees games as the env shows them
    augmentation: Augmentation | None = None
    #: facts whose means are given out beside those that make up the reward
    watch: tuple[str, ...] = ()
    timing: Timing = field(default_factory=Timing)

    def __post_init__(self) -> None:
        """Allocate the rollout once; the env must have been reset or loaded."""
        env, steps = self.env, self.num_steps
        rows = env.num_games * env.spec.seats
        self._rows = rows

        def by_step(array: AnyArray) -> AnyArray:
            return np.zeros((steps, rows, *array.shape[2:]), array.dtype)

        flat = (steps, rows)
        self.rollout = Rollout(
            observation={name: by_step(part) for name, part in env.observation.items()},
            legal={name: by_step(mask) for name, mask in env.legal.items()},
            action=blank_actions(env.spec, *flat),
            logprob=np.zeros(flat, np.float32),
            value=np.zeros(flat, np.float32),
            learn=np.zeros(flat, np.bool_),
            reward=np.zeros(flat, np.float32),
            terminated=np.zeros(flat, np.bool_),
            truncated=np.zeros(flat, np.bool_),
            final_value=np.zeros(flat, np.float32),
            bootstrap_value=np.zeros(rows, np.float32),
        )
        names = sorted({*facts_read(self.shapers, env.facts), *self.watch})
        self._before = {name: by_step(env.facts[name]) for name in names}
        self._after = {name: by_step(env.facts[name]) for name in names}
        self._ended = np.zeros((steps, env.num_games), np.bool_)
        self._outcome = np.zeros(flat, np.float32)
        self._official = np.zeros(flat, np.float32)
        self.episodes = Episodes(env.num_games, env.spec.seats)
        # The env overwrites its arrays in place, so these views stay true for its whole life.
        self._live = {name: part.reshape(rows, *part.shape[2:]) for name, part in env.observation.items()}
        self._live_legal = {name: mask.reshape(rows, -1) for name, mask in env.legal.items()}
        self._live_tensors = {name: torch.from_numpy(part) for name, part in self._live.items()}
        self._live_legal_tensors = {name: torch.from_numpy(mask) for name, mask in self._live_legal.items()}
        self._live_facts = {name: env.facts[name].reshape(rows) for name in {*names, "reward"}}
        head = env.spec.units_head
        self._unit_head = None if head is None else head.name
        self._units = None if head is None else UnitBuffer(env)
        # Every seat of every game acts at every step and learns: no rows to pick out.
        self._whole = env.spec.seats == 1 and self.opponents is None and self.openings is None
        self.env_action = blank_actions(env.spec, env.num_games, env.spec.seats)
        self._row_action = {
            name: action.reshape(rows, *action.shape[2:])
            for name, action in self.env_action.items()
            if name != self._unit_head
        }
        card = getattr(self.policy, "card", None)  # a mixture of two policies has none of its own
        self._faults = RolloutFaults(env, None if card is None else card.network)
        self.reward_parts: dict[str, float] = {}
        #: the mean of each watched fact after a step, over the learning policy's seats
        self.watched: dict[str, float] = {}
        #: share of the learning policy's steps in which the official reward was not 0
        self.feedback = 0.0
        #: the rows that the policy is asked for now, and how many games each place has begun: for a policy of several
        #: players, which must know whose turn it is
        self.acting_rows: IntArray = np.arange(rows)
        self.games_begun: IntArray = np.ones(env.num_games, np.int64)
        self._parts: dict[str, FloatArray] = {}

    def collect(self, progress: float) -> tuple[Rollout, Ended]:
        """Play one rollout; its arrays are overwritten by the next call."""
        rollout, env, rows, clock = self.rollout, self.env, self._rows, perf_counter
        infer_seconds = env_seconds = 0.0
        started = clock()
        if self._units is not None:
            self._units.clear()
        cut: list[tuple[int, IntArray, dict[str, AnyArray]]] = []
        rollout.final_value.fill(0.0)
        if self._whole:
            rollout.learn.fill(True)
        terminated, truncated = env.terminated.reshape(rows), env.truncated.reshape(rows)
        outcome, official = env.outcome.reshape(rows), self._live_facts["reward"]
        for t in range(self.num_steps):
            for name, part in self._live.items():
                rollout.observation[name][t] = part
            for name, mask in self._live_legal.items():
                rollout.legal[name][t] = mask
            for name, before in self._before.items():
                before[t] = self._live_facts[name]
            if self._units is not None and self._unit_head is not None:
                self._units.append()
                self.env_action[self._unit_head] = np.zeros(len(env.unit_row), np.int64)
            if self.augmentation is not None:
                self.augmentation.by_step[t] = self.augmentation.element
            self.episodes.watch(env)
            before_infer = clock()
            if self._whole:
                self._act_whole(t)
            else:
                self._act_by_rows(t)
            if self._units is not None and self._unit_head is not None:
                self._units.chose(self.env_action[self._unit_head])
            if self.keeper is not None:
                self.keeper.note(t, self.env_action)
            before_env = clock()
            env.step(self.env_action)
            after_env = clock()
            infer_seconds += before_env - before_infer
            env_seconds += after_env - before_env
            rollout.terminated[t] = terminated
            rollout.truncated[t] = truncated
            self._ended[t] = env.ended
            self._official[t] = official
            for name, after in self._after.items():
                after[t] = self._live_facts[name]
            if self.openings is not None:
                self.openings.stepped()
            if env.ended.any():
                cut_rows = self._note_ends(t, outcome)
                if cut_rows is not None:
                    cut.append(cut_rows)
            else:
                self._outcome[t] = 0.0
        if self._units is not None and self._unit_head is not None:
            rollout.units = {self._unit_head: self._units.table()}
            rollout.action[self._unit_head] = self._units.action
        before_infer = clock()
        self._value_open_ends(cut)
        infer_seconds += clock() - before_infer
        self._faults.look(rollout, {**self._after, "reward": self._official})
        self._shape(progress)
        if self.keeper is not None:
            self.keeper.gather(rollout, self._ended, self._official, self._outcome)
        ended = self.episodes.gather(self._ended, self._official, self._outcome)
        if self.augmentation is not None:
            rollout = self.augmentation.turned(rollout)
        self.timing.infer += infer_seconds
        self.timing.env += env_seconds
        self.timing.copy += clock() - started - infer_seconds - env_seconds
        return rollout, ended

    def _seen(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Observation and masks of all rows now, as views."""
        if self._unit_head is None:
            return self._live_tensors, self._live_legal_tensors
        table = live_units(self.env)
        return {**self._live_tensors, UNITS: table}, {**self._live_legal_tensors, self._unit_head: table}

    def _decide(
        self, rows: IntArray, observation: dict[str, Any], legal: dict[str, Any]
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor]:
        """Ask the learning policy; its actions are in the env's terms."""
        if self.augmentation is None:
            return self.policy.act(observation, legal, self.generator)
        return self.augmentation.act(self.policy, rows, observation, legal)

    def _play(self, name: str, rows: IntArray, chosen: AnyArray) -> None:
        """Put the actions of rows where the env will read them."""
        if name == self._unit_head:
            self.env_action[name][units_of_rows(self.env, rows)] = chosen
        else:
            self._row_action[name][rows] = chosen

    def _act_whole(self, t: int) -> None:
        actions, logprob, value = self._decide(self.acting_rows, *self._seen())
        for name, action in actions.items():
            chosen = action.numpy()
            if name == self._unit_head:
                self.env_action[name][:] = chosen
                continue
            self.rollout.action[name][t] = chosen
            self.env_action[name][:, 0] = chosen
        self.rollout.logprob[t] = logprob.numpy()
        self.rollout.value[t] = value.numpy()

    def _act_by_rows(self, t: int) -> None:
        rollout, env = self.rollout, self.env
        acting = env.acting.reshape(self._rows)
        if self.openings is not None:
            acting = self._open_at_random(self.openings, acting)
        if self.opponents is None:
            mine = np.flatnonzero(acting)
        else:
            mine = np.flatnonzero(acting & self.opponents.learns)
            seats = env.spec.seats
            for player, rows in self.opponents.rows_to_act(acting):
                for name, chosen in player.act(env, rows // seats, rows % seats).items():
                    try:
                        self._play(name, rows, chosen)
                    except (KeyError, TypeError, ValueError) as error:
                        raise misplayed(player, name, chosen, rows, env) from error
        learn = rollout.learn[t]
        learn.fill(False)
        if len(mine) == 0:
            return
        learn[mine] = True
        self.acting_rows = mine
        # Where every row decides, as in self-play against none but itself, nothing has to be picked out and copied.
        shown = self._seen() if len(mine) == self._rows else seen(env, mine)
        actions, logprob, value = self._decide(mine, *shown)
        for name, action in actions.items():
            chosen = action.numpy()
            self._play(name, mine, chosen)
            if name != self._unit_head:
                rollout.action[name][t, mine] = chosen
        rollout.logprob[t, mine] = logprob.numpy()
        rollout.value[t, mine] = value.numpy()

    def _open_at_random(self, openings: Openings, acting: BoolArray) -> BoolArray:
        """Play the rows of games in their opening; give the acting rows that are left to the players."""
        at_random = openings.rows(acting)
        rows = np.flatnonzero(at_random)
        if len(rows) == 0:
            return acting
        for head in self.env.spec.heads:
            if head.name == self._unit_head:
                legal: BoolArray | None = self.env.unit_legal[units_of_rows(self.env, rows)]
            else:
                mask = self._live_legal.get(head.name)
                legal = None if mask is None else mask[rows]
            count = len(rows) if legal is None else len(legal)
            self._play(head.name, rows, openings.choose(head, legal, count))
        return acting & ~at_random

    def _note_ends(self, t: int, outcome: FloatArray) -> tuple[int, IntArray, dict[str, AnyArray]] | None:
        """Put the old games' last facts and outcomes in their places; give the truncated rows' last observations."""
        env, seats = self.env, self.env.spec.seats
        games = np.flatnonzero(env.ended)
        rows = (games[:, None] * seats + np.arange(seats)).reshape(-1)
        for name, after in self._after.items():
            after[t, rows] = env.final_facts[name][games].reshape(-1)
        self._official[t, rows] = env.final_facts["reward"][games].reshape(-1)
        self._outcome[t] = outcome
        self.games_begun[games] += 1
        if self.opponents is not None:
            self.opponents.games_ended(games, env.outcome[games])
        if self.openings is not None:
            self.openings.games_ended(games)
        if self.augmentation is not None:
            self.augmentation.games_ended(games)
        truncated = rows[self.rollout.truncated[t, rows]]
        if len(truncated) == 0:
            return None
        at = (truncated // seats, truncated % seats)
        return t, truncated, {name: part[at] for name, part in env.final_observation.items()}

    @torch.no_grad()
    def _value_open_ends(self, cut: list[tuple[int, IntArray, dict[str, AnyArray]]]) -> None:
        now, turns = self._seen()[0], self.augmentation
        if turns is not None:
            now = turns.seen(now, turns.element)
        self.rollout.bootstrap_value[:] = self.policy.network(now).value.numpy()
        if not cut:
            return
        observation: dict[str, Any] = {
            name: torch.from_numpy(np.concatenate([parts[name] for _, _, parts in cut]))
            for name in self._live
        }
        if self._unit_head is not None:
            observation[UNITS] = no_units(self.env.spec, sum(len(rows) for _, rows, _ in cut))
        steps = np.concatenate([np.full(len(rows), t) for t, rows, _ in cut])
        at = (steps, np.concatenate([rows for _, rows, _ in cut]))
        if turns is not None:
            observation = turns.seen(observation, turns.by_step[at])
        self.rollout.final_value[at] = self.policy.network(observation).value.numpy()

    def _shape(self, progress: float) -> None:
        steps, games, seats = self.num_steps, self.env.num_games, self.env.spec.seats

        def by_seat(array: AnyArray) -> AnyArray:
            return array.reshape(steps, games, seats)

        passage = Passage(
            before={name: by_seat(fact) for name, fact in self._before.items()},
            after={name: by_seat(fact) for name, fact in self._after.items()},
            ended=self._ended,
            terminated=by_seat(self.rollout.terminated),
            truncated=by_seat(self.rollout.truncated),
            outcome=by_seat(self._outcome),
            gamma=self.gamma,
            progress=progress,
        )
        reward = by_seat(self.rollout.reward)
        reward.fill(0.0)
        learners = self.rollout.learn.any(axis=0).reshape(games, seats)
        felt = np.count_nonzero(self._official, axis=0)[learners.reshape(-1)]
        self.feedback = float(felt.mean()) / steps if len(felt) else 0.0
        if learners.any():
            self.watched = {name: float(passage.after[name][:, learners].mean()) for name in self.watch}
        self.reward_parts = {}
        for shaper in self.shapers:
            for name, part in shaper(passage).items():
                checked = check_part(shaper, name, part, reward)
                reward += checked
                figure = float(checked[:, learners].mean()) if learners.any() else 0.0
                self.reward_parts[name] = self.reward_parts.get(name, 0.0) + figure

    def games_restarted(self) -> None:
        """Forget the open games: the env was reset between two rollouts."""
        self.episodes.clear()
        self.games_begun += 1
        if self.keeper is not None:
            self.keeper.games_restarted()
        if self.openings is not None:
            self.openings.games_ended(np.arange(self.env.num_games))
        if self.augmentation is not None:
            self.augmentation.games_ended(np.arange(self.env.num_games))

    def state(self) -> dict[str, AnyArray]:
        """What the next rollout needs, beside the env, the policy and the opponents."""
        return {
            "generator": self.generator.get_state().numpy(),
            **self.episodes.state(),
            **({} if self.openings is None else {"opening": self.openings.left.copy()}),
            **({} if self.keeper is None else prefixed("kept", self.keeper.state())),
            **({} if self.augmentation is None else {"element": self.augmentation.element.copy()}),
            **{f"action.{name}": action.copy() for name, action in self._row_action.items()},
        }

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        self.generator.set_state(torch.from_numpy(state["generator"].copy()))
        self.episodes.load_state(state)
        if self.openings is not None:
            self.openings.left[:] = state["opening"]
        if self.keeper is not None:
            self.keeper.load_state(under("kept", state))
        if self.augmentation is not None:
            self.augmentation.element[:] = state["element"]
        for name, action in self._row_action.items():
            action[:] = state[f"action.{name}"].reshape(action.shape)
