"""The league of a training phase.

1. Snapshots of the learner join the pool; scripted players are members from the start.
2. Games lie in contiguous blocks by opponent; a pool slot's opponent is redrawn by the matchmaker every
   `redraw_every` games, and only for games that begin.
3. Results are counted by pair and seat; the matchmaker sees recent ones.
4. A gate, if there is one, says which snapshot is the best.

Everything that goes on from step to step is in `state`; loaded into a fresh league over the same folder it
goes on as though it had never stopped, and the next phase takes it over in the same way. Members on disk that
the state does not know were written after it and are overwritten when their step comes again.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lanista.arrays import AnyArray, FloatArray, IntArray
from lanista.env import VecEnv
from lanista.errors import CheckpointError, LanistaError
from lanista.league.blocks import Block, lay_out
from lanista.league.gate import GateVerdict, judge_gate
from lanista.league.matchmaking import Matchmaker, RecentScores
from lanista.league.member import (
    LEARNER,
    Member,
    game_digest,
    read_member,
    scripted_member,
    write_member,
    write_snapshot,
)
from lanista.league.payoff import Payoff
from lanista.league.report import LeagueReport, Standing
from lanista.league.roster import Roster, build_player, check_bot, refuse_learner
from lanista.league.settings import LeagueSettings
from lanista.matches import play_matches
from lanista.players import Player
from lanista.plugins import Registry
from lanista.seeds import derive_seed
from lanista.spec import EnvSpec

if TYPE_CHECKING:
    from lanista.policy import Policy  # imports torch


class League:
    """See the module; `folder` is the run's ``league/``."""

    def __init__(
        self, folder: Path, settings: LeagueSettings, registry: Registry, env_spec: EnvSpec, seed: int
    ) -> None:
        """Write the learner and the scripted players as members; no policy is loaded."""
        self.folder = folder
        self.settings = settings
        self.payoff = Payoff(env_spec.seats)
        #: the newest snapshot that passed the gate, or the first one that met it
        self.best: str | None = None
        self._registry = registry
        self._env_spec = env_spec
        self._seed = seed
        self._members: dict[str, Member] = {}
        self._pool: list[str] = []
        self._gates: list[dict[str, Any]] = []
        self._recent = RecentScores(settings.recent_games)
        self._rng = np.random.default_rng(derive_seed(seed, "matchmaker"))
        self._roster = Roster(self._members_folder, registry, env_spec, seed)
        #: by pool slot: the opponent of games that begin now (None: not drawn yet) and games begun with it
        self._slots: list[tuple[str | None, int]] = [(None, 0)] * settings.pool_slots
        table = settings.matchmaker
        self._matchmaker: Matchmaker = table.build(registry)(table.settings(registry))
        self._last_snapshot = 0
        self._take_in(Member(LEARNER, "learning"))
        for bot in settings.bots:
            check_bot(registry, bot.use, env_spec)
            options = bot.settings(registry).model_dump(mode="json")
            self._take_in(scripted_member(bot.member, bot.use, options))

    @property
    def _members_folder(self) -> Path:
        return self.folder / "members"

    def _take_in(self, member: Member) -> None:
        known = self._members.get(member.name)
        if known is not None and known != member:
            raise LanistaError(
                f"two members of the league would be called {member.name!r}, a {known.kind} and a "
                f"{member.kind} one; give the bot a name of its own"
            )
        if known is None:
            write_member(self._members_folder, member)
            self._members[member.name] = member

    # Members

    def members(self) -> tuple[Member, ...]:
        """All members in the order in which they came."""
        return tuple(self._members.values())

    def snapshot_due(self, step: int) -> bool:
        """Whether `snapshot_every` env steps have gone since the last snapshot, or since the start."""
        return step - self._last_snapshot >= self.settings.snapshot_every

    def add_snapshot(self, policy: "Policy", step: int, name: str | None = None) -> Member:
        """Freeze the policy; it joins the pool, and above `max_pool` the oldest leaves it."""
        name = name or f"step-{step:010d}"
        if name in self._members:
            raise LanistaError(
                f"the league has a member {name!r} already; take one snapshot a step, or name it"
            )
        parent = next((m.name for m in reversed(self._members.values()) if m.kind == "snapshot"), None)
        member = write_snapshot(self._members_folder, name, policy, step, parent)
        self._members[name] = member
        self._pool.append(name)
        del self._pool[: -self.settings.max_pool]
        self._last_snapshot = step
        return member

    def player(self, name: str) -> Player:
        """The player of a frozen or scripted member; loaded at first use, its own random stream goes on."""
        refuse_learner(name)
        return self._roster.player(self._member(name))

    def _member(self, name: str) -> Member:
        if name not in self._members:
            raise LanistaError(f"the league has no member {name!r}; there are: {', '.join(self._members)}")
        return self._members[name]

    # Who meets whom

    def blocks(self, num_games: int) -> tuple[Block, ...]:
        """Divide the env's games among the learner itself, the pool's slots and the scripted players."""
        return lay_out(self.settings, num_games)

    def draw(self, slot: int) -> str:
        """Pick a slot's opponent anew; while the pool is empty that is the learner itself."""
        drawn = self._matchmaker.choose(tuple(self._pool), self._recent, self._rng) if self._pool else LEARNER
        if drawn != LEARNER and drawn not in self._pool:
            raise LanistaError(
                f"matchmaker {self.settings.matchmaker.use!r} chose {drawn!r}, which was not among the "
                f"candidates {', '.join(self._pool)}; let it return one of them"
            )
        self._slots[slot] = (drawn, 0)
        return drawn

    def next_opponent(self, slot: int, games: int = 1) -> str:
        """The opponent of `games` games that begin now in a slot's block; see `redraw_every`."""
        member, begun = self._slots[slot]
        if member is None or begun >= self.settings.redraw_every or (member == LEARNER and self._pool):
            member, begun = self.draw(slot), 0
        self._slots[slot] = (member, begun + games)
        return member

    # Results

    def record(self, player: str, opponent: str, seat: int, opponent_seat: int, margin: float) -> None:
        """Count one game: `margin` is the player's outcome less the opponent's."""
        self._count(player, opponent, seat, opponent_seat, np.array([margin], np.float32))

    def record_games(
        self, opponents: Sequence[str] | AnyArray, seats: IntArray, outcomes: FloatArray
    ) -> None:
        """Count E ended games of the learner in order of time.

        `opponents` ``[E]`` names who filled the other seats, `seats` ``[E]`` is the learner's, `outcomes`
        ``[E, S]`` are official. Games of the learner against itself are told by seat in the payoff only.
        """
        names, places = np.asarray(opponents, dtype=object), np.asarray(seats)
        for name in dict.fromkeys(names.tolist()):
            met = names == name
            for seat in range(self._env_spec.seats):
                rows = outcomes[met & (places == seat)]
                for other in range(self._env_spec.seats):
                    if other != seat and len(rows):
                        self.payoff.record(LEARNER, name, seat, other, rows[:, seat] - rows[:, other])
            if name != LEARNER:
                self._recent.add(name, _points(outcomes[met], places[met]))

    def _count(self, player: str, opponent: str, seat: int, opponent_seat: int, margins: FloatArray) -> None:
        self.payoff.record(player, opponent, seat, opponent_seat, margins)
        if player == LEARNER != opponent:
            self._recent.add(opponent, (0.5 + 0.5 * np.sign(margins)).astype(np.float32))

    def report(self) -> LeagueReport:
        """Members, results and gates as they stand."""
        return LeagueReport(self.members(), tuple(self._pool), self.best, self.payoff, tuple(self._gates))

    def table(self) -> list[Standing]:
        """Score and Wilson interval of every member."""
        return self.report().table()

    def write(self) -> None:
        """Write ``league.json`` for people and for `lanista league`; call it with each checkpoint."""
        self.report().write(self.folder)

    # The gate

    def judge(self, candidate: str, make_env: Callable[[int], VecEnv]) -> GateVerdict | None:
        """Let a snapshot play for `best`; None without a gate. The first to come is the best without a game.

        Both play from streams of their own, so the training games do not depend on it.
        """
        gate = self.settings.gate
        if gate is None:
            return None
        member = self._member(candidate)
        if self.best is None:
            verdict = GateVerdict(True, 0.5, 0.0, 0, f"{candidate} is the first at the gate")
        else:
            seed = derive_seed(self._seed, "gate", candidate)
            players = [
                build_player(
                    self._members_folder / side.name,
                    side,
                    self._registry,
                    self._env_spec,
                    derive_seed(seed, part),
                )
                for part, side in enumerate((member, self._member(self.best)))
            ]
            result = play_matches(make_env, players, gate.games, seed)
            for mine in range(self._env_spec.seats):
                for theirs in range(self._env_spec.seats):
                    met = (result.seating[:, mine] == 0) & (result.seating[:, theirs] == 1)
                    if met.any():
                        margins = result.outcome[met, mine] - result.outcome[met, theirs]
                        self._count(candidate, self.best, mine, theirs, margins)
            verdict = judge_gate(result, gate)
        self._gates.append(
            {"candidate": candidate, "against": self.best, "step": member.step, **verdict.to_json()}
        )
        if verdict.promoted:
            self.best = candidate
        return verdict

    # Stop and resume

    def state(self) -> tuple[dict[str, Any], dict[str, AnyArray]]:
        """Everything that goes on: plain JSON values, and the members' random streams as arrays."""
        values = {
            "report": self.report().to_json(),
            "slots": [list(slot) for slot in self._slots],
            "recent": self._recent.to_json(),
            "last_snapshot": self._last_snapshot,
            "rng": self._rng.bit_generator.state,
        }
        return values, self._roster.state()

    def load_state(self, values: dict[str, Any], arrays: dict[str, AnyArray]) -> None:
        """Take back what `state` gave; each member's record on disk is held against it."""
        report = values["report"]
        members = {record["name"]: Member.from_json(record) for record in report["members"]}
        for bot in self._members.values():
            if members.setdefault(bot.name, bot) != bot:
                raise LanistaError(
                    f"the league has met a {bot.name!r} with other settings before; "
                    "give this one a name of its own"
                )
        for member in members.values():
            found = read_member(self._members_folder / member.name)
            if found.content_hash != member.content_hash:
                raise CheckpointError(
                    f"league member {member.name!r} on disk (sha256 {found.content_hash[:12]}…) is not "
                    f"that of the checkpoint ({member.content_hash[:12]}…); bring back the run's league"
                )
        self._members = members
        # A phase may have another board or a smaller pool than the one that the state comes from.
        here = game_digest(self._env_spec)
        fit = {
            name for name, member in members.items() if member.kind != "snapshot" or member.made_for == here
        }
        self._pool = [name for name in report["pool"] if name in fit][-self.settings.max_pool :]
        self.best = report["best"] if report["best"] in fit else None
        self._gates = list(report["gates"])
        self.payoff = Payoff.from_json(report["payoff"])
        slots = [(member if member in fit else None, int(begun)) for member, begun in values["slots"]]
        empty: list[tuple[str | None, int]] = [(None, 0)] * self.settings.pool_slots
        self._slots = [*slots, *empty][: self.settings.pool_slots]
        self._recent.load_json(values["recent"])
        self._last_snapshot = int(values["last_snapshot"])
        self._rng.bit_generator.state = values["rng"]
        self._roster.load_state(arrays)


def _points(outcomes: FloatArray, seats: IntArray) -> FloatArray:
    """The learner's points of each game ``[K]``: its mean over the other seats of 1, 0.5 or 0."""
    own = outcomes[np.arange(len(seats)), seats]
    against = 0.5 + 0.5 * np.sign(own[:, None] - outcomes)
    others = outcomes.shape[1] - 1
    # The own column compares with itself and counts a half.
    points: FloatArray = ((against.sum(axis=1) - 0.5) / others).astype(np.float32)
    return points
