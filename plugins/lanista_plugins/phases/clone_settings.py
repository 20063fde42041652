"""Settings of the phase kind `clone`."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lanista.schedules import Schedule, Scheduled
from lanista.tables import NetworkTable


class CloneGames(BaseModel):
    """Whose games are learnt from: one of `kept`, `players` and `replays`.

    As a text: ``"games:PHASE"`` is `kept`, ``"player:NAME"`` one of `players`, ``"replays:FILES"`` is `replays`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: an earlier phase of the run that kept games, or a folder of kept games (docs/kept-games.md)
    kept: str | None = None
    #: who plays games for this, in the phase's env: scripted players ("connectx_negamax:depth=4"), phases, run folders or
    #: policy folders; several take the seats in turn, one takes all of them
    players: tuple[str, ...] = ()
    #: replay files of the env's platform: a folder, or a pattern such as "replays/*.json"
    replays: str | None = None
    #: games that `players` play, 2 or more; they are kept below RUN/games
    num_games: int = Field(default=200, ge=2)
    #: steps at a game's start that are played at random and not learnt from: each game draws 0 to this many
    random_opening: int = Field(default=0, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _text_alone(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the recipe holds
        if not isinstance(value, str):
            return value
        kind, sign, rest = value.partition(":")
        forms = {"games": "kept", "player": "players", "replays": "replays"}
        if not sign or not rest or kind not in forms:
            raise ValueError(
                f'games takes "games:PHASE", "player:NAME", "replays:FILES" or a table, found {value!r}'
            )
        return {forms[kind]: (rest,) if kind == "player" else rest}

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        named = [name for name in ("kept", "players", "replays") if getattr(self, name)]
        if len(named) != 1:
            raise ValueError(
                f"games takes one of kept, players and replays, found {' and '.join(named) or 'none'}"
            )
        return self


class CloneSettings(BaseModel):
    """Learn to play as somebody does whose games there are, before any game of one's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: changes to the run's env settings in this phase
    env: dict[str, Any] = {}
    #: whose games are learnt from
    games: CloneGames
    #: whose decisions of a game: "all" seats, or the "winner" only (a shared first place is none)
    seats: Literal["all", "winner"] = "all"
    #: the players whose decisions are learnt, by the names in the games; none: everybody's
    imitate: tuple[str, ...] = ()
    #: of a game every n-th decision of each seat is learnt, 1 or more: neighbours are much alike, and all are held in memory
    every: int = Field(default=1, ge=1)
    #: share of the games that is not learnt from but measured on, between 0 and 1; games that are equal move by move stay
    #: on one side
    held_out: float = Field(default=0.1, gt=0.0, lt=1.0)
    #: the network; none: that of `warm_start`
    network: NetworkTable | None = None
    #: the policy whose weights are begun with: a phase, "previous", a run or policy folder; none: fresh weights
    warm_start: str | None = None
    #: how the observation is scaled: "measured" over the games, "env" as the env declares it
    scaling: Literal["measured", "env"] = "measured"
    #: what the value learns: the game's "outcome", the official "return" from there on, or "none"; by default what the env's
    #: outcome is: a result or a score
    value: Literal["outcome", "return", "none"] | None = None
    #: discount of one env step in it, 0..1; take that of the learner which goes on
    gamma: float = Field(default=1.0, gt=0.0, le=1.0)
    #: weight of the value loss (half the mean squared error), 0 or more
    value_coef: float = Field(default=0.5, ge=0.0)
    #: passes over the decisions, 1 or more; schedules run over them
    epochs: int = Field(default=10, ge=1)
    #: passes without a lower loss on the held-out games after which the phase ends, 1 or more
    patience: int = Field(default=3, ge=1)
    #: decisions of a minibatch, 1 or more
    minibatch_size: int = Field(default=512, ge=1)
    #: minibatches between two rows of figures, 1 or more
    minibatches: int = Field(default=64, ge=1)
    #: learn from each decision as one of the env's symmetries shows it, drawn anew each time? The env must declare some
    augment_symmetries: bool = False
    #: Adam's step size; may be a schedule
    learning_rate: Scheduled = Schedule(start=1e-3, end=1e-4)
    #: what is measured and handed on is an average of the last weights: the share of it that a step keeps, 0 to below 1
    averaging: float = Field(default=0.98, ge=0.0, lt=1.0)
    #: least share of held-out choices in which the clone does the same; the phase fails below, 0..1
    min_agreement: float = Field(default=0.0, ge=0.0, le=1.0)
    #: games in lock-step while `players` play, 1 or more
    slots: int = Field(default=64, ge=1)
    #: updates between checkpoints, 1 or more
    checkpoint_every: int = Field(default=50, ge=1)

    @model_validator(mode="after")
    def _some_network(self) -> Self:
        if self.network is None and self.warm_start is None:
            raise ValueError('name the network, network = "mlp" say, or a policy to start from, warm_start')
        return self
