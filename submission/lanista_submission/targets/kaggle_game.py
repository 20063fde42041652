"""Targets ``kaggle:GAME`` for any game of kaggle-environments, by what its own specification says."""

from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lanista.plugins import Registry
from lanista_submission.targets.kaggle import KaggleTarget
from lanista_submission.targets.profile import Profile


class KaggleGameSettings(BaseModel):
    """Settings of the targets ``kaggle:GAME``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the game as kaggle-environments calls it; it is part of the target's name
    game: str = Field(min_length=1)
    #: how the archive plays: "greedy", or "sampled" by the policy's probabilities
    actions: Literal["greedy", "sampled"] = "greedy"
    #: "all" symmetries of the env, or names with commas between: the archive averages over them while there is time
    average_symmetries: str | None = None


class KaggleGame(KaggleTarget):
    """A game that no target of its own is written for; its policies play the env of the same name."""

    def __init__(self, registry: Registry, settings: KaggleGameSettings) -> None:
        """The judging environment is asked when the profile is first needed."""
        super().__init__(registry)
        self._settings = settings

    @cached_property
    def profile(self) -> Profile:  # type: ignore[override]  # games with a class of their own have a constant
        """Limits and default action, as the game's specification says."""
        from lanista.judge import find_judge
        from lanista_submission.judge.specification import read_specification

        found = read_specification(find_judge(), self._settings.game)
        name = f"kaggle:{found.game}"
        return Profile(
            name=name,
            game=found.game,
            env=name,
            act_timeout=found.act_timeout,
            default_action=found.default_action,
            actions=self._settings.actions,
            average_symmetries=self._settings.average_symmetries,
            source=f"kaggle-environments {found.kaggle_environments}, {found.game}.json {found.version}",
        )
