"""Who sits where while a policy learns: the league's assignment as arrays that the step loop can use.

In a `latest` game the learning policy plays every seat and learns from every row. In any other it holds one
seat (block by block in turn), and a frozen or scripted member plays the rest. Opponents change at game ends only.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import Tensor

from lanista.arrays import AnyArray, BoolArray, FloatArray, IntArray
from lanista.env import VecEnv
from lanista.league.league import League
from lanista.league.member import LEARNER
from lanista.named_arrays import as_arrays, as_tensors, copied_weights, prefixed, under
from lanista.phases import PhaseContext, PhaseState
from lanista.players import Player
from lanista.policy import Policy


class Opponents:
    """The opponents of one phase; rows are ``game * S + seat``."""

    def __init__(self, context: PhaseContext, league: League, env: VecEnv) -> None:
        """Assign an opponent to every game of `env`."""
        self.league = league
        self._context = context
        self._num_games, self._seats = env.num_games, env.spec.seats
        self._names: list[str] = [LEARNER]
        #: ``[N]`` place in `_names`, pool slot or -1, and the learner's seat
        self._member = np.zeros(env.num_games, np.int64)
        self._slot = np.full(env.num_games, -1)
        self._seat = np.zeros(env.num_games, np.int64)
        #: ``[R]`` rows that the learning policy plays and learns from
        self.learns: BoolArray = np.ones(env.num_games * self._seats, np.bool_)
        #: name and weights of the snapshot that passed the gate last
        self.best: tuple[str, dict[str, Tensor]] | None = None
        self._ended: list[tuple[IntArray, IntArray, FloatArray]] = []
        self._assign()

    @staticmethod
    def start(context: PhaseContext, league: League, env: VecEnv) -> "Opponents":
        """Begin a phase: the members and results of the phases before stay in the league."""
        if context.carried is not None:
            league.load_state(context.carried.values, context.carried.arrays)
        return Opponents(context, league, env)

    def _assign(self) -> None:
        for block in self.league.blocks(self._num_games):
            games = np.arange(block.start, block.stop)
            self._seat[games] = (games - block.start) % self._seats
            if block.slot is not None:
                self._slot[games] = block.slot
                self._meet(games, self.league.next_opponent(block.slot, len(games)))
            elif block.member is not None:
                self._meet(games, block.member)

    def _meet(self, games: IntArray, name: str) -> None:
        if name not in self._names:
            self._names.append(name)
        self._member[games] = self._names.index(name)
        learns = self.learns.reshape(self._num_games, self._seats)
        learns[games] = name == LEARNER
        learns[games, self._seat[games]] = True

    def rows_to_act(self, acting: BoolArray) -> Iterator[tuple[Player, IntArray]]:
        """Give each opponent in play with the rows that it must act for now."""
        rows = np.flatnonzero(acting & ~self.learns)
        if len(rows) == 0:
            return
        members = self._member[rows // self._seats]
        for member in np.unique(members):
            yield self.league.player(self._names[member]), rows[members == member]

    @property
    def members(self) -> IntArray:
        """``[N]``: whom each game is played against, in the numbers that `seated` takes; it changes in place."""
        return self._member

    def seated(self, game: int, member: int) -> list[str]:
        """The names of those who sit in a game's seats while it is played against `member`."""
        names = [self._names[member]] * self._seats
        names[self._seat[game]] = LEARNER
        return names

    def games_ended(self, games: IntArray, outcome: FloatArray) -> None:
        """Note the results and give pool games that begin now their slot's opponent."""
        self._ended.append((games, self._member[games], outcome.copy()))
        slots = self._slot[games]
        for slot in np.unique(slots[slots >= 0]):
            begin = games[slots == slot]
            self._meet(begin, self.league.next_opponent(int(slot), len(begin)))

    def after_update(self, policy: Policy, steps: int, last: bool) -> dict[str, float]:
        """Count the results, take a snapshot if one is due or the phase is over, and let the gate judge it."""
        metrics = self._count()
        total = self._context.steps_before + steps
        if last or self.league.snapshot_due(total):
            member = self.league.add_snapshot(policy, total)
            verdict = self.league.judge(member.name, self._context.make_measuring_env)
            if verdict is not None:
                metrics |= {
                    "gate_score": verdict.score,
                    "gate_low": verdict.low,
                    "promoted": float(verdict.promoted),
                }
                if verdict.promoted:
                    self.best = (member.name, copied_weights(policy.network))
        return metrics

    def _count(self) -> dict[str, float]:
        if not self._ended:
            return {}
        games, members, outcomes = (np.concatenate(parts) for parts in zip(*self._ended, strict=True))
        self._ended.clear()
        seats = self._seat[games]
        self.league.record_games(np.array(self._names, dtype=object)[members], seats, outcomes)
        own = outcomes[np.arange(len(games)), seats]
        kinds = {
            "bots": (self._slot[games] < 0) & (members != 0),
            "pool": (self._slot[games] >= 0) & (members != 0),
        }
        return {f"outcome/{kind}": float(own[met].mean()) for kind, met in kinds.items() if met.any()}

    def carried(self) -> PhaseState:
        """The league as the next phase takes it over."""
        self.league.write()
        values, arrays = self.league.state()
        return PhaseState(values, arrays)

    def state(self) -> tuple[dict[str, Any], dict[str, AnyArray]]:
        """Assignment, league and best weights."""
        carried = self.carried()
        arrays = prefixed("league", carried.arrays)
        arrays["member"] = self._member.copy()
        if self.best is not None:
            arrays |= prefixed("best", as_arrays(self.best[1]))
        values = {
            "league": carried.values,
            "names": self._names,
            "best": None if self.best is None else self.best[0],
        }
        return values, arrays

    def load_state(self, values: dict[str, Any], arrays: dict[str, AnyArray]) -> None:
        """Take back what `state` gave."""
        self.league.load_state(values["league"], under("league", arrays))
        self._names = list(values["names"])
        for place, name in enumerate(self._names):
            self._meet(np.flatnonzero(arrays["member"] == place), name)
        if values["best"] is not None:
            self.best = (values["best"], as_tensors(under("best", arrays)))
