"""What a recipe may set for games of kaggle-environments. Light: read while plugins load."""

import importlib.util
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class KaggleSettings(BaseModel):
    """Settings of the envs ``kaggle:NAME``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the game as kaggle-environments calls it; it is part of the env's name
    game: str = Field(min_length=1)
    #: the codec: a file (beside the recipe, or from the current folder) or a module "package.codec"
    codec: str = Field(min_length=1)
    #: the codec's text; read from `codec` and kept with a run, so that it goes on with what it began with
    codec_text: str = ""
    #: seats of a game; none: the only number that the game can have
    seats: int | None = Field(default=None, ge=1)
    #: changes to the game's configuration, such as { episodeSteps = 100 }
    configuration: dict[str, Any] = {}
    #: child processes that share out the games, 1 or more; none: one for each core
    num_workers: int | None = Field(default=None, ge=1)
    #: seconds that a step of all games may take before a child counts as hung, above 0
    timeout: float = Field(default=120.0, gt=0.0)

    @model_validator(mode="before")
    @classmethod
    def _read_codec(cls, values: Any) -> Any:  # noqa: ANN401 - whatever the recipe holds
        if (
            not isinstance(values, dict)
            or not isinstance(values.get("codec"), str)
            or values.get("codec_text")
        ):
            return values
        file = codec_file(values["codec"])
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"codec {values['codec']!r} cannot be read: {error}") from error
        if not text.strip():
            raise ValueError(
                f"codec {values['codec']!r} is empty; write observe(obs, config) and act(index) into it"
            )
        return {**values, "codec": file.name, "codec_text": text}


def codec_file(named: str) -> Path:
    """Find a codec by path or as a module, whose top-level package alone is looked up; nothing is executed."""
    path = Path(named)
    if named.endswith(".py") or "/" in named:
        if not path.is_file():
            raise ValueError(
                f"codec {named!r} is no file, looked for beside the recipe and in {Path.cwd()}; "
                f'name a .py file or a module "package.codec"'
            )
        return path
    top, *rest = named.split(".")
    spec = importlib.util.find_spec(top)
    if spec is not None and not rest and spec.origin is not None and spec.origin.endswith(".py"):
        return Path(spec.origin)
    for place in list(spec.submodule_search_locations or []) if spec is not None else []:
        file = Path(place).joinpath(*rest).with_suffix(".py")
        if rest and file.is_file():
            return file
    raise ValueError(
        f"codec {named!r} is no module that is installed; name one, or a file that ends with .py"
    )


class KaggleAgentSettings(BaseModel):
    """Settings of the players ``kaggle:AGENT``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: the agent as its environment calls it, such as "random"; it is part of the player's name
    agent: str = Field(min_length=1)
