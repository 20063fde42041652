"""The recipe tables of this plugin; light, because the plugin host reads them while it loads plugins."""

from pydantic import BaseModel, ConfigDict, Field

from lanista.schedules import Schedule, Scheduled
from lanista.tables import DistillerTable, NetworkTable


class RpsSettings(BaseModel):
    """The configuration of Kaggle's `rps`, three signs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: length of an episode as Kaggle counts it, 2 or more; one less than this many rounds are played
    episode_steps: int = Field(default=1000, ge=2)
    #: points that the winner must be ahead by at the end, 1 or more; less is a draw
    tie_reward_threshold: int = Field(default=20, ge=1)


class PointsSettings(BaseModel):
    """Reward of one round; the default is the game's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: reward of a round that was won, above 0
    win: float = Field(default=1.0, gt=0.0)
    #: what a lost round costs, above 0
    loss: float = Field(default=1.0, gt=0.0)


class HistorySettings(BaseModel):
    """Whom fictitious play meets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the k-th snapshot weighs k to this power, 0 or more; 0 weighs all alike
    power: float = Field(default=1.0, ge=0.0)


class AverageSettings(BaseModel):
    """Distil the average strategy of the league's pool."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the student's network
    network: NetworkTable
    #: the loss against each member; its minimum over all of them must be their average
    loss: DistillerTable = DistillerTable(use="rps_brier")
    #: the k-th snapshot weighs k to this power in the average, 0 or more; as in the matchmaker's table
    power: float = Field(default=1.0, ge=0.0)
    #: games in lock-step, 1 or more
    num_games: int = Field(default=8, ge=1)
    #: optimiser steps, 1 or more
    num_updates: int = Field(default=100, ge=1)
    #: Adam's step size; may be a schedule
    learning_rate: Scheduled = Schedule(start=0.05, end=0.001)
    #: largest distance of any probability of the student from the pool's average, 0..1; beyond it the phase fails
    tolerance: float = Field(default=0.02, gt=0.0, le=1.0)
    #: updates between checkpoints, 1 or more
    checkpoint_every: int = Field(default=50, ge=1)
