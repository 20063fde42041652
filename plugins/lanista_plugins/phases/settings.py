"""Settings of the phase kinds `train` and `distill`."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lanista.games.settings import KeepGames, StatesSettings
from lanista.league.settings import LeagueSettings
from lanista.schedules import Schedule, Scheduled
from lanista.tables import DistillerTable, LearnerTable, NetworkTable, ShaperTable, TeacherTable


class Until(BaseModel):
    """When a phase ends: after `steps`, or earlier once a measure holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: env steps (games x rollout steps), the cap; schedules run over it
    steps: int = Field(ge=1)
    #: the mean greedy return over `episodes` that ends the phase early, on two sets of start states; none: never
    return_at_least: float | None = None
    #: the score (draw = half) against `opponent` whose lower bound ends the phase early, 0..1; none: never
    score_at_least: float | None = Field(default=None, ge=0.0, le=1.0)
    #: the player that `score_at_least` is measured against
    opponent: str | None = None
    #: greedy episodes, or games a seat order, of one measurement, 1 or more
    episodes: int = Field(default=100, ge=1)
    #: env steps between measurements, 1 or more
    every: int = Field(default=1024, ge=1)
    #: confidence of the lower bound, 0.5..1
    confidence: float = Field(default=0.9, gt=0.5, lt=1.0)

    @model_validator(mode="after")
    def _opponent_named(self) -> "Until":
        if self.score_at_least is not None and self.opponent is None:
            raise ValueError('score_at_least needs opponent = "...": name the player to measure against')
        if self.score_at_least is not None and self.return_at_least is not None:
            raise ValueError("until takes return_at_least or score_at_least, not both")
        return self

    @property
    def measures(self) -> bool:
        """Whether anything is measured on the way."""
        return self.return_at_least is not None or self.score_at_least is not None


#: the source of a teacher that is the snapshot which the gate promoted last
LAST_BEST = "last-best"


class TeacherSettings(TeacherTable):
    """A frozen teacher whose KL is a term of the learner's loss; further keys are those of the teacher's plugin.

    The source "last-best" is the snapshot which the gate of this phase promoted last (the first one passes without a
    game); until there is one, the policy of the phase before, and without that nobody.
    """

    #: the distillation loss
    loss: DistillerTable = DistillerTable(use="kl")
    #: weight of the loss, 0 or more; may be a schedule
    coef: Scheduled = Schedule(start=1.0, end=1.0)
    #: weight of the squared distance of the values, 0 or more; may be a schedule
    value_coef: Scheduled = Schedule(start=0.0, end=0.0)


class TrainSettings(BaseModel):
    """Learn by playing, alone or against a league."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: changes to the run's env settings in this phase
    env: dict[str, Any] = {}
    #: games in lock-step, 1 or more
    num_games: int = Field(default=64, ge=1)
    #: steps of a rollout, 1 or more
    num_steps: int = Field(default=32, ge=1)
    #: show each seat of each game as one of the env's symmetries, drawn when the game begins? The env must declare some
    augment_symmetries: bool = False
    #: steps at a game's start that are played at random and not learnt from: each game draws 0 to this many
    random_opening: int = Field(default=0, ge=0)
    #: the policy to go on from, an earlier phase or a run or policy folder; none: that of the phase before
    warm_start: str | None = None
    #: the network; none keeps that of the policy before
    network: NetworkTable | None = None
    #: how its weights begin: "carry" the policy before's, "grow" them, "fresh"; "auto" carries the same network's
    start: Literal["auto", "carry", "grow", "fresh"] = "auto"
    #: the learner
    learner: LearnerTable = LearnerTable(use="ppo")
    #: fact (or `outcome`) -> weight; none: the official reward
    reward: dict[str, Scheduled] = {}
    #: facts whose means are logged and plotted, rewarded or not: what a phase's play is made of
    watch: tuple[str, ...] = ()
    #: further shapers
    shapers: tuple[ShaperTable, ...] = ()
    #: updates at the start in which only the value is learnt and the policy stays as it is, bit for bit, 0 or more; for one
    #: that was cloned or taught, whose critic knows nothing of its own play yet
    critic_warmup: int = Field(default=0, ge=0)
    #: a frozen teacher; none: no term
    teacher: TeacherSettings | None = None
    #: opponents, pool and gate; none: the learning policy plays every seat
    league: LeagueSettings | None = None
    #: finished games that are stored below RUN/games: how many, or a table (docs/kept-games.md); none: none
    keep_games: KeepGames | None = None
    #: when the phase ends
    until: Until
    #: updates between checkpoints, 1 or more
    checkpoint_every: int = Field(default=50, ge=1)

    @model_validator(mode="after")
    def _somebody_promotes(self) -> "TrainSettings":
        gate = None if self.league is None else self.league.gate
        if self.teacher is not None and self.teacher.source == LAST_BEST and gate is None:
            raise ValueError(
                f"the teacher {LAST_BEST!r} is the snapshot that a gate promoted; give the phase a league with a "
                f"gate, or name a fixed teacher"
            )
        return self


class LossSettings(BaseModel):
    """One term of a distillation loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the distillation loss
    loss: DistillerTable
    #: its weight, 0 or more; may be a schedule
    coef: Scheduled = Schedule(start=1.0, end=1.0)


class DistillUntil(Until):
    """When a distill phase ends: `until`, and once the student is as strong as its teacher."""

    #: the share of the teacher's distance from random moves that the student has reached when the lower end of the
    #: interval of `confidence` is there, on `episodes` starts that all play, and again on others; none: never
    share_at_least: float | None = None

    @model_validator(mode="after")
    def _one_goal(self) -> "DistillUntil":
        if self.share_at_least is not None and (
            self.return_at_least is not None or self.score_at_least is not None
        ):
            raise ValueError("until takes one of return_at_least, score_at_least and share_at_least")
        return self

    @property
    def measures(self) -> bool:
        """Whether anything is measured on the way."""
        return super().measures or self.share_at_least is not None


class WeighedTeacher(TeacherTable):
    """One of several teachers."""

    #: its share in a mixture beside the others', > 0
    weight: float = Field(default=1.0, gt=0.0)
    #: the numbers of a flat observation that it was trained to see, the first one and the one behind the last, as in
    #: [0, 28] of 29 that a time feature makes; none: all
    sees: tuple[int, int] | None = None


class TaughtBy(BaseModel):
    """Who teaches, and by which losses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the teacher: an earlier phase's name, "previous", a run or policy folder, a teacher of a plugin
    teacher: TeacherTable = TeacherTable()
    #: several teachers of this env instead of one, each a source or { source = "...", weight = 2.0 }; none: `teacher`
    teachers: tuple[WeighedTeacher, ...] = ()
    #: what several teachers say together: "best" that of the highest mean return over `compare_episodes` starts, "mean"
    #: the mixture by their weights, "value" the one whose critic promises most at each state
    combine: Literal["best", "mean", "value"] = "best"
    #: terms of the loss; none: of real numbers the squared distance of the actions, of choices the KL. Its temperature
    #: is low because students are played greedily: what must be kept is which action is the best, also where the
    #: teacher hardly prefers it
    losses: tuple[LossSettings, ...] = ()

    @model_validator(mode="after")
    def _one_or_several_teachers(self) -> "TaughtBy":
        if self.teachers and self.teacher != TeacherTable():
            raise ValueError("name one teacher, or several as teachers = [...], not both")
        return self


class TeachingSettings(BaseModel):
    """How states are gathered and fitted, and what is asked of the student."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: how the student scales its observation: "measured" by the first states, "env" as the env declares it
    scaling: Literal["measured", "env"] = "measured"
    #: the chance that a stretch of a game is played by the student while states are gathered, 0..1; may be a schedule
    student_share: Scheduled = Schedule(start=0.0, end=1.0, by=0.25)
    #: steps after which a game that goes on gets a driver anew (a new game always does), 1 or more
    stretch: int = Field(default=200, ge=1)
    #: steps for which one random move is held where a game goes on into another stretch, 0 or more: each draws 0 to this
    #: many, so that the teacher is asked how to go on from where neither would have gone
    shove: int = Field(default=0, ge=0)
    #: noise on the teacher's moves where it drives: of real numbers a deviation in shares of half the range, of choices
    #: the share that is made at random; labels are without it; may be a schedule
    teacher_noise: Scheduled = Schedule(start=0.0, end=0.0)
    #: whether states are gathered by greedy play, as the student will be played, or by sampled moves
    greedy: bool = True
    #: games in lock-step, 1 or more
    num_games: int = Field(default=64, ge=1)
    #: steps of a rollout, 1 or more; after each the states are fresh ones
    num_steps: int = Field(default=16, ge=1)
    #: steps at a game's start that are played at random and not learnt from: each game draws 0 to this many
    random_opening: int = Field(default=0, ge=0)
    #: labelled rows that are remembered and learnt from, the newest ones, 1 or more
    buffer: int = Field(default=262_144, ge=1)
    #: rows of a minibatch, 1 or more
    minibatch_size: int = Field(default=512, ge=1)
    #: optimiser steps after each rollout, 1 or more; may be a schedule
    steps_per_rollout: Scheduled = Schedule(start=16.0, end=16.0)
    #: Adam's step size; may be a schedule
    learning_rate: Scheduled = Schedule(start=3e-3, end=0.0, shape="cosine")
    #: what is played and handed on is an average of the last weights: the share of it that a step keeps, 0 to below 1
    averaging: float = Field(default=0.99, ge=0.0, lt=1.0)
    #: when the phase ends
    until: DistillUntil
    #: how much the student may lose, 0..1: of the teacher's distance from random moves, or in score points against it
    allowed_loss: float = Field(default=0.05, ge=0.0, le=1.0)
    #: episodes, or games a seat order, of the final comparison, 1 or more
    compare_episodes: int = Field(default=100, ge=1)
    #: least share of states in which both choose the same action, 0..1
    min_agreement: float = Field(default=0.0, ge=0.0, le=1.0)
    #: updates between checkpoints, 1 or more
    checkpoint_every: int = Field(default=50, ge=1)

    @model_validator(mode="after")
    def _some_steps(self) -> "TeachingSettings":
        steps = self.steps_per_rollout
        if min(steps.start, steps.end) < 1.0:
            raise ValueError(
                f"steps_per_rollout goes from {steps.start:g} to {steps.end:g}; take 1 step or more"
            )
        return self

    def steps_at(self, progress: float) -> int:
        """Optimiser steps after a rollout that the share `progress` (0..1) of the phase is behind."""
        return round(self.steps_per_rollout.at(progress))


class DistillSettings(TeachingSettings, TaughtBy):
    """Teach a student to play as its teacher does, on states that both visit (DAgger, Ross et al. 2011)."""

    #: changes to the run's env settings in this phase
    env: dict[str, Any] = {}
    #: the student's network; none: that of `warm_start`
    network: NetworkTable | None = None
    #: the policy whose weights the student begins with, as `teacher` names one; none: fresh weights
    warm_start: str | None = None
    #: learn from each row as one of the env's symmetries shows it, drawn anew each time? The env must declare some
    augment_symmetries: bool = False
    #: let the teacher average its logits over these symmetries of the env: "all", or names with commas between; none: no
    average_symmetries: str | None = None
    #: where states come from beside fresh games: "games:PHASE", or { games = "PHASE", share = 0.5 }; none: fresh only
    states: StatesSettings | None = None
    #: averages out of the phase's last quarter that are tried against its last on shared starts, 0 or more; one is
    #: taken instead only if it is better beyond doubt
    candidates: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _some_network(self) -> "DistillSettings":
        if self.network is None and self.warm_start is None:
            raise ValueError(
                'name the student\'s network, network = "mlp" say, or a policy to start from, warm_start'
            )
        return self
