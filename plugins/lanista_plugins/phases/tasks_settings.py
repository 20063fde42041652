"""Settings of the phase kind `distill_tasks`."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lanista.tables import EnvTable, HeadTable, NetworkTable
from lanista_plugins.phases.settings import TaughtBy, TeachingSettings


class TaskSettings(TaughtBy):
    """One of the tasks that a student learns: its env, its teacher, its losses."""

    #: what the task is called in figures and folders: letters, digits, "_" and "-"
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    #: the env
    env: EnvTable
    #: head of that env -> the family of its actions, where it is not the one that the env names
    heads: dict[str, HeadTable] = Field(default={})


class OwnWeights(BaseModel):
    """Which weights no task shares with another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: beginnings of the names of weights that each task keeps for itself, beside those that read the observation where
    #: observations differ, and those whose shapes differ
    own: tuple[str, ...] = ("outputs",)


class DistillTasksSettings(TeachingSettings, OwnWeights):
    """Teach one student several tasks: a trunk that all share, and for each task a head, and an input layer of its own.

    `num_games`, `num_steps` and `buffer` are those of one task; a minibatch has an equal share of each.
    """

    #: the tasks, two or more; one of them plays the run's env, and its part of the student is handed on
    tasks: tuple[TaskSettings, ...] = Field(min_length=2)
    #: the network, as each task sees it
    network: NetworkTable

    @model_validator(mode="after")
    def _a_goal_for_all(self) -> Self:
        names = [task.name for task in self.tasks]
        if len(set(names)) < len(names):
            raise ValueError(f"two tasks have one name, of {', '.join(names)}; give each its own")
        if self.until.return_at_least is not None or self.until.score_at_least is not None:
            raise ValueError(
                "several tasks have no one return; set until.share_at_least, or until.steps alone"
            )
        return self
