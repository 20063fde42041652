"""What is known of one game on one platform, with source and date. This module stays light."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal


@dataclass(frozen=True)
class Profile:
    """The limits and names that an entry must keep to."""

    #: the target's name, "kaggle:<game>"
    name: str
    #: the game as the platform calls it
    game: str
    #: the env that policies for it play
    env: str
    #: settings that the env must have had in training
    env_settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    #: seconds a turn before the overage is touched, unless the platform's configuration says otherwise
    act_timeout: float = 1.0
    #: what is played when not even the observation can be read; valid by the game's schema
    default_action: Any = 0
    #: how the archive plays: the most probable action, or one drawn by the policy's probabilities (mixed strategies)
    actions: Literal["greedy", "sampled"] = "greedy"
    #: "all" symmetries of the env, or names with commas between: the archive averages over them while there is time
    average_symmetries: str | None = None
    #: does the codec keep units out of each other's way, where it can?
    settle: bool = True
    #: modules of the codec, as an env names them by the trait ``portable``; None: the env's own
    codec: tuple[str, tuple[str, ...]] | None = None
    #: size limit of the archive, in bytes
    max_bytes: int = 100 * 2**20
    #: where these figures come from, and when they were read
    source: str = ""
