"""Settings of a league: who is played how often, when snapshots are taken, what promotes one."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lanista.tables import PluginTable


class OpponentShares(BaseModel):
    """How the games are shared out; the three shares add up to 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: share of games in which the learner plays every seat, 0..1
    latest: float = Field(default=0.0, ge=0.0, le=1.0)
    #: share of games against frozen snapshots that the matchmaker picks, 0..1
    pool: float = Field(default=0.0, ge=0.0, le=1.0)
    #: share of games against scripted players, divided evenly among them, 0..1
    bots: float = Field(default=0.0, ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _add_up(self) -> "OpponentShares":
        total = self.latest + self.pool + self.bots
        if abs(total - 1.0) > 1e-6:
            raise ValueError(
                f"the shares latest = {self.latest:g}, pool = {self.pool:g} and bots = {self.bots:g} add up "
                f"to {total:g}; make it 1"
            )
        return self


class BotTable(PluginTable):
    """A scripted player and its settings."""

    kind: ClassVar[str] = "players"

    #: what the member is called, letters, digits and ``_.-``; none: the plugin's name
    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")

    @property
    def member(self) -> str:
        """The member's name."""
        return self.name or self.use


class MatchmakerTable(PluginTable):
    """A matchmaker and its settings."""

    kind: ClassVar[str] = "matchmakers"


class GateSettings(BaseModel):
    """When a snapshot replaces the best one: the lower bound of its score against it must be high enough."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: games in each seat order, 1 or more
    games: int = Field(default=100, ge=1)
    #: what the true score (draw = half) must reach, 0.5..1
    at_least: float = Field(default=0.55, ge=0.5, lt=1.0)
    #: confidence of the one-sided bound, 0.5..1
    confidence: float = Field(default=0.9, gt=0.5, lt=1.0)


class LeagueSettings(BaseModel):
    """Opponents, pool and gate of a training phase."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: shares of the games: the learner itself, frozen snapshots, scripted players
    opponents: OpponentShares = OpponentShares(latest=0.5, pool=0.5)
    #: scripted players, by name or as tables `{ use = "...", name = "...", ... }`
    bots: tuple[BotTable, ...] = ()
    #: who picks among the snapshots
    matchmaker: MatchmakerTable = MatchmakerTable(use="pfsp")
    #: env steps between snapshots, 1 or more
    snapshot_every: int = Field(default=50_000, ge=1)
    #: snapshots that can be picked, 1 or more; the oldest leaves the pool (its games stay in the table)
    max_pool: int = Field(default=20, ge=1)
    #: pool opponents in play side by side, 1 or more
    pool_slots: int = Field(default=4, ge=1)
    #: games that begin in a slot before its opponent is picked anew, 1 or more
    redraw_every: int = Field(default=32, ge=1)
    #: games over which the matchmaker's idea of a score fades (each weighs 1 - 1/n of the next), 2 or more
    recent_games: int = Field(default=100, ge=2)
    #: the promotion gate; none: the last policy is handed on
    gate: GateSettings | None = None

    @model_validator(mode="after")
    def _bots_are_named(self) -> "LeagueSettings":
        if self.opponents.bots > 0.0 and not self.bots:
            raise ValueError(
                f"opponents.bots = {self.opponents.bots:g} but the list `bots` is empty; "
                'name scripted players there (bots = ["random"]) or make the share 0'
            )
        names = [bot.member for bot in self.bots]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f'two bots are called {name!r}; give one of them a name = "..." of its own')
        return self
